"""The outcome of a run and what it says: scores, the verdict, the words that changed."""
