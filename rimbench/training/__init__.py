"""Training: rows of reasoning -> packed rows -> the two-stage curriculum and its controls -> a checkpoint."""
