"""Mutation testing of the rooms that results depend on; `README.md` beside it says how."""
