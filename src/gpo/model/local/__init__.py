"""Models that run on this machine: weights, and the process of llama.cpp that serves them."""
