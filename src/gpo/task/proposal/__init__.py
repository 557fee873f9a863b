"""What a data file may be as a task: its columns, the kind of its answers, its splits. It asks nobody."""
