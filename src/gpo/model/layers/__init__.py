"""Models that wrap a model: how many calls at once, how often, and again after a failure."""
