"""Benchmarks by name: bbh/TASK, mmlu/SUBJECT, gsm8k, wsc, webnlg, and the groups of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gpo.errors import ConfigError
from gpo.task.benchmarks import bbh, gsm8k, mmlu, webnlg, wsc
from gpo.task.benchmarks.spec import Benchmark

_ALL: Final[Mapping[str, Benchmark]] = MappingProxyType(
    {found.name: found for family in (bbh, mmlu, gsm8k, wsc, webnlg) for found in family.benchmarks()}
)
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "bbh": tuple(name for name in _ALL if name.startswith("bbh/")),
        "bbh-lite": tuple(f"bbh/{task}" for task in bbh.LITE),
        "mmlu": tuple(name for name in _ALL if name.startswith("mmlu/")),
        **{
            f"mmlu/{group}": tuple(f"mmlu/{subject}" for subject in subjects)
            for group, subjects in mmlu.GROUPS.items()
        },
    }
)
_FAMILIES: Final = ("bbh", "bbh-lite", "mmlu", "gsm8k", "wsc", "webnlg")
_FEW: Final = 8


def list_names() -> tuple[str, ...]:
    """All single benchmarks."""
    return tuple(_ALL)


def list_groups() -> Mapping[str, tuple[str, ...]]:
    """The groups and their benchmarks; the four of Table 5 are mmlu/stem, humanities, social_sciences, other."""
    return _GROUPS


def looks_like_benchmark(name: str) -> bool:
    """Whether `name` is written like a benchmark, one that exists or not."""
    return name.partition("/")[0] in _FAMILIES


def find(name: str) -> Benchmark:
    """The benchmark of that name. Raises `ConfigError` for a group, naming its benchmarks, and for an unknown
    name."""
    if name in _ALL:
        return _ALL[name]
    if name in _GROUPS:
        raise ConfigError(
            f"task.data: {name} is a group of {len(_GROUPS[name])} tasks, and a run has one: {_some(_GROUPS[name])}; "
            "gpo bench runs groups"
        )
    raise ConfigError(f"task.data: {_unknown(name)}")


def expand(name: str) -> tuple[str, ...]:
    """The benchmarks of a group; a single name is its own. Raises `ConfigError` for an unknown name."""
    if name in _GROUPS:
        return _GROUPS[name]
    if name in _ALL:
        return (name,)
    raise ConfigError(_unknown(name))


def _unknown(name: str) -> str:
    family = name.partition("/")[0]
    known = [*_ALL, *_GROUPS]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    own = [other for other in known if other == family or other.startswith(f"{family}/")]
    return f"no benchmark is called {name!a}; " + (
        f"did you mean {' or '.join(close)}?" if close else f"there are: {_some(own or _FAMILIES)}"
    )


def _some(found: tuple[str, ...] | list[str]) -> str:
    if len(found) <= _FEW:
        return ", ".join(found)
    return f"{', '.join(found[:5])} and {len(found) - 5} more (gpo tasks list)"
