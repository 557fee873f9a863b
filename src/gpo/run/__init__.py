"""What survives a run: store, journal, budget, resume, result."""
