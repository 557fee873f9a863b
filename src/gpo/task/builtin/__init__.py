"""Tasks that GPO brings: hand-written support tickets and seeded generators of small reasoning tasks."""

from gpo.task.builtin.catalog import describe, list_names, load

__all__ = ["describe", "list_names", "load"]
