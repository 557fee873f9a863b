"""Public benchmarks by name: one file a family, a catalogue of them, and where their rows come from."""

from gpo.task.benchmarks.catalog import expand, find, list_groups, list_names, looks_like_benchmark
from gpo.task.benchmarks.source import find_folder, get_folder, list_present
from gpo.task.benchmarks.spec import Benchmark, Home

__all__ = [
    "Benchmark",
    "Home",
    "expand",
    "find",
    "find_folder",
    "get_folder",
    "list_groups",
    "list_names",
    "list_present",
    "looks_like_benchmark",
]
