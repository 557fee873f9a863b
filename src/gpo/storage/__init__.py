"""What is kept on disk: the journal of a run, the user's store of calls, and how files are written."""
