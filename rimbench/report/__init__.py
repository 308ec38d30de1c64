"""Reports: records of runs -> one summary -> Markdown, JSON. No format computes anything."""
