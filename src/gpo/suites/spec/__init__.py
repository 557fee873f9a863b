"""A suite as it is written: its file, its grid of trials, what they depend on."""
