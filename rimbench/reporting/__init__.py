"""Reports: records of runs -> one summary -> tables, plots and documents. No format computes anything."""
