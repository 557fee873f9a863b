"""Before a run starts: where it is kept, what it would send first, a look at few rows."""
