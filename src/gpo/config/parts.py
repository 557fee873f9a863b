"""The options of a method's four parts by name, and what else may stand in their place: `module:Class`, or the name
that an installed package registers for one (entry-point groups, one a part)."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, WithJsonSchema

InformationName = Literal[
    "prompt", "prompt+performance", "prompt+reflection", "prompt+performance+reflection"
]
TrajectoryName = Literal["none", "summarization", "recency", "relevance", "importance"]
EditDistanceName = Literal[
    "none", "fixed", "linear", "cosine", "none+warmup", "fixed+warmup", "linear+warmup", "cosine+warmup"
]
RefinementName = Literal["editing", "generation"]

OPTIONS: dict[str, tuple[str, ...]] = {
    "direction": get_args(InformationName),
    "trajectory": get_args(TrajectoryName),
    "edit_distance": get_args(EditDistanceName),
    "refinement": get_args(RefinementName),
}
"""GPO's own options in each place."""

GROUPS = {
    "direction": "gpo.directions",
    "trajectory": "gpo.trajectories",
    "edit_distance": "gpo.edit_distances",
    "refinement": "gpo.refinements",
}
"""Under which group of entry points an installed package names parts for a place."""

_TARGET = r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*"


def find_target(place: str, value: str) -> str | None:
    """`module:Class` of the own part that `value` names in `place`, None where it is one of GPO's options (which a
    package cannot take over) or no part at all."""
    if value in OPTIONS[place]:
        return None
    if re.fullmatch(_TARGET, value):
        return value
    return next(iter(_registered(place, tuple(sys.path)).get(value, ())), None)


def check_part(place: str, value: str) -> str:
    """`value`, where it names one part. Raises `ValueError` with what may stand there."""
    registered = _registered(place, tuple(sys.path))
    if value not in OPTIONS[place] and len(named := registered.get(value, ())) > 1:
        raise ValueError(f"{value!r} is registered by two packages; write {' or '.join(named[:2])}")
    if value in OPTIONS[place] or find_target(place, value):
        return value
    known = ", ".join((*OPTIONS[place], *registered))
    raise ValueError(
        f"{place} has no option {value!r}; there are {known}; an own one is written module:Class"
    )


@cache
def _registered(place: str, path: tuple[str, ...]) -> dict[str, list[str]]:
    """What packages on `path` register, by name, each once."""
    found: dict[str, list[str]] = {}
    for point in entry_points(group=GROUPS[place]):
        named = found.setdefault(point.name, [])
        named += [] if point.value in named else [point.value]
    return found


def _checked(place: str) -> Callable[[str], str]:
    return lambda value: check_part(place, value)


def _schema(place: str) -> WithJsonSchema:
    choice: dict[str, Any] = {"enum": list(OPTIONS[place])}
    return WithJsonSchema({"anyOf": [choice, {"type": "string", "pattern": f"^{_TARGET}$"}]})


Direction: TypeAlias = Annotated[str, AfterValidator(_checked("direction")), _schema("direction")]
TrajectoryPart: TypeAlias = Annotated[str, AfterValidator(_checked("trajectory")), _schema("trajectory")]
EditDistancePart: TypeAlias = Annotated[
    str, AfterValidator(_checked("edit_distance")), _schema("edit_distance")
]
RefinementPart: TypeAlias = Annotated[str, AfterValidator(_checked("refinement")), _schema("refinement")]
