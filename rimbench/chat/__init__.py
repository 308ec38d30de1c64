"""Chats as a checkpoint writes them: its template rendered, its text encoded, its option letters found.

A chat template is a program that came with the weights, so it runs in a process of its own (`template`). What a
question spells is text, whatever tokens it names (`text`). Which token an answer's letter is depends on what stands
before it (`letters`). Flows in: a tokenizer and texts. Flows out: texts and token ids. Knows nothing of models.
"""

TODAY = "2025-01-01"
"""The day that a template which writes today's date is given: no run's prompts change overnight."""
