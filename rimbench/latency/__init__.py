"""How long an answer takes, and how long it must take at the least."""
