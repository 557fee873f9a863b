"""Carrying out the trials of a suite, here, in processes or on a Ray cluster."""
