"""DSPy's optimizers and ours on one program: what they are given, how each is called, the table."""
