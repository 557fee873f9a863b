"""What survives a run: its directory, its resume, and how one process carries it out."""
