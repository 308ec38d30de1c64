"""Reasoning in memory: the block layout, the packed mask, and readouts at every memory budget."""
