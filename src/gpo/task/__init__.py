"""What is optimized for: examples, splits, prompts meeting examples, reading answers, metrics."""
