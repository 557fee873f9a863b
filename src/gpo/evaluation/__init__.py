"""Scoring prompts on examples, and the statistics of scores."""
