"""The paper's tables and figures, and own suites of the same form, as runs that are repeated and gathered."""
