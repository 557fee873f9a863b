"""What a run takes from a journal and does not ask for: scores of its earlier process, answers of another run."""
