"""The front door: what a notebook calls, and what the command line calls too.

`rimbench.run`, `load`, `report`, `compare`, `audit` and `answer` are the functions of this package. It knows of the
folder that work is done in: what its `rimbench.toml` says, and which weights and questions are there.
"""
