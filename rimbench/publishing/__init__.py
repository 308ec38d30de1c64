"""A checkpoint for others: as a GGUF file for llama.cpp, and on a hub with the evaluation of its own weights."""
