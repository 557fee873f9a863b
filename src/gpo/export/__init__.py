"""The best prompt of a run as other tools take it: one file a format, all from the run's template."""
