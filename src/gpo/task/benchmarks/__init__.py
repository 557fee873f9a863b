"""Public benchmarks by name: one file a family, a catalogue of them, and where their rows come from."""

from gpo.task.benchmarks.catalog import expand, find, groups, looks_like_benchmark, names
from gpo.task.benchmarks.source import find_folder, get_folder, list_present
from gpo.task.benchmarks.spec import Benchmark, Home

__all__ = [
    "Benchmark",
    "Home",
    "expand",
    "find",
    "find_folder",
    "get_folder",
    "groups",
    "list_present",
    "looks_like_benchmark",
    "names",
]
