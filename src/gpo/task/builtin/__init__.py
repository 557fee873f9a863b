"""Tasks that GPO brings: hand-written support tickets and seeded generators of small reasoning tasks."""

from gpo.task.builtin.catalog import describe, load, names

__all__ = ["describe", "load", "names"]
