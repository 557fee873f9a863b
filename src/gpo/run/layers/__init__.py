"""Models that wrap a model for one run: journal, budget, and the way to stop."""
