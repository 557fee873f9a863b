"""Public benchmarks by name: one file a family, a catalogue of them, and where their rows come from."""

from gpo.task.benchmarks.catalog import expand, find, groups, meant, names
from gpo.task.benchmarks.source import folder, held, present
from gpo.task.benchmarks.spec import Benchmark, Home

__all__ = [
    "Benchmark",
    "Home",
    "expand",
    "find",
    "folder",
    "groups",
    "held",
    "meant",
    "names",
    "present",
]
