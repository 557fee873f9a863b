"""What a run has of its own where a program answers the rows, or several prompts have names."""
