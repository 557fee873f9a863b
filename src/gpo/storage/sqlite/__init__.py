"""SQLite files that may come from someone else."""
