"""The progress of a run as it goes on: in a terminal, in a notebook."""
