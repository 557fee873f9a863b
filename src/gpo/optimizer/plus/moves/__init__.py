"""Where candidates come from: a move a file, the start library, and what limits and ranks them."""
