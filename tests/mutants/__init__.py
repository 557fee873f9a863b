"""Mutation testing of the rooms that results depend on; `docs/mutants.md` says what it is and what it found."""
