"""What makes two runs the same run: configuration, task and own code."""
