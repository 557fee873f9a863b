"""From the runs of a suite to its tables and figures."""
