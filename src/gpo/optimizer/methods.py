"""Methods are nothing but rows: a name and one option of each of the four parts (paper, Table 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gpo.config.parts import check_part, find_target
from gpo.config.schema import MethodConfig, OptimizeConfig
from gpo.errors import FOREIGN, ConfigError
from gpo.optimizer.own_parts import load_part
from gpo.optimizer.parts import layout1
from gpo.optimizer.parts.edit_distance import PAPER, RELEASED, EditDistance, edit_distance
from gpo.optimizer.parts.information import CurrentInformation, information
from gpo.optimizer.parts.refinement import Refinement, refinement
from gpo.optimizer.parts.trajectory import Trajectory, trajectory
from gpo.optimizer.scale import Scale

Preset = Literal["paper", "released"]

# Paper, Table 4; SGDM after the baselines' paragraph of Experimental Setup.
METHODS: dict[str, MethodConfig] = {
    "gpo": MethodConfig(
        direction="prompt+performance",
        trajectory="relevance",
        edit_distance="cosine",
        refinement="generation",
    ),
    "ape": MethodConfig(direction="prompt", trajectory="none", edit_distance="none", refinement="generation"),
    "apo": MethodConfig(
        direction="prompt+reflection", trajectory="none", edit_distance="none", refinement="editing"
    ),
    "opro": MethodConfig(
        direction="prompt+performance", trajectory="recency", edit_distance="none", refinement="generation"
    ),
    "pe2": MethodConfig(
        direction="prompt+performance+reflection",
        trajectory="recency",
        edit_distance="fixed",
        refinement="generation",
    ),
    "sgdm": MethodConfig(
        direction="prompt+performance", trajectory="summarization", edit_distance="none", refinement="editing"
    ),
}


PARTS = {
    "direction": "describe(step)",
    "trajectory": "show(step)",
    "edit_distance": "limit(step, total)",
    "refinement": "template",
}
"""The four places of a method, and what an own object has to have there."""


@dataclass(frozen=True, slots=True)
class Method:
    """One object for each part; any of them may be a user's own."""

    name: str
    information: CurrentInformation
    trajectory: Trajectory
    edit_distance: EditDistance
    refinement: Refinement


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedMethod:
    """A row of options with own objects in some places. The options become parts when a run begins, with the run's
    settings (`optimize.k`, `preset` …); the objects are used as they are."""

    name: str
    direction: str | CurrentInformation
    trajectory: str | Trajectory
    edit_distance: str | EditDistance
    refinement: str | Refinement

    @property
    def parts(self) -> dict[str, object]:
        """The option or the object in each place."""
        return {place: getattr(self, place) for place in PARTS}

    def build(
        self, settings: OptimizeConfig | None = None, preset: Preset = "paper", layout: int = 2
    ) -> Method:
        """New objects for the options, under `settings` and `preset`; `layout` as for `build_method`."""
        named = {place: part for place, part in self.parts.items() if isinstance(part, str)}
        row = build_method(MethodConfig.model_validate(named), settings, preset, layout)
        return Method(
            name=self.name,
            information=row.information if isinstance(self.direction, str) else self.direction,
            trajectory=row.trajectory if isinstance(self.trajectory, str) else self.trajectory,
            edit_distance=row.edit_distance if isinstance(self.edit_distance, str) else self.edit_distance,
            refinement=row.refinement if isinstance(self.refinement, str) else self.refinement,
        )


def method(
    name: str = "gpo",
    *,
    direction: str | CurrentInformation | None = None,
    trajectory: str | Trajectory | None = None,
    edit_distance: str | EditDistance | None = None,
    refinement: str | Refinement | None = None,
) -> ComposedMethod:
    """The method `name` of Table 4 with other parts in some places: an option's name, an own object, or `module:Class`
    of one (the module is looked for in the current folder first).

    `gpo.optimize(task, method=gpo.method("gpo", edit_distance=Halving()), …)`. An own object has the one method of its
    part (`describe`, `show`, `limit`; a refinement the attribute `template`), and may have `calls(total, sizes)`, so
    that an estimate counts what it asks for. Raises `ConfigError` for a name that is none of `gpo.methods()`, and for
    a part that is neither an option nor such an object.
    """
    given: dict[str, object] = {
        "direction": direction,
        "trajectory": trajectory,
        "edit_distance": edit_distance,
        "refinement": refinement,
    }
    replaced = {place: part for place, part in given.items() if part is not None}
    told = ", ".join(f"{place}={_label(part)}" for place, part in replaced.items())
    parts: dict[str, object] = {**_find_row(name).model_dump(), **replaced}
    return _compose(f"{name} with {told}" if told else name, parts, Path())


def compose_own(parts: MethodConfig | Mapping[str, object], base_dir: Path) -> ComposedMethod | None:
    """The method of these four parts where some are own ones (objects, or `module:Class` looked for in `base_dir`
    first), None where all are GPO's options. Raises `ConfigError`."""
    given = parts.model_dump() if isinstance(parts, MethodConfig) else dict(parts)
    if unknown := [place for place in given if place not in PARTS]:
        raise ConfigError(f"method: there is no part {unknown[0]!a}; there are {', '.join(PARTS)}")
    if all(isinstance(part, str) and not find_target(place, part) for place, part in given.items()):
        return None
    return _compose("own", {**MethodConfig().model_dump(), **given}, base_dir)


def _compose(name: str, parts: Mapping[str, object], base_dir: Path) -> ComposedMethod:
    found: dict[str, Any] = {}
    for place, part in parts.items():
        if isinstance(part, str):
            try:
                check_part(place, part)
            except ValueError as error:
                raise ConfigError(f"method: {error}") from None
        own = isinstance(part, str) and find_target(place, part)
        found[place] = load_part(place, str(part), base_dir) if own else part
        _check_object(place, found[place])
    return ComposedMethod(name=name, **found)


def _find_row(name: str) -> MethodConfig:
    if name not in METHODS:
        raise ConfigError(f"method: there is no {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name]


def _check_object(place: str, part: object) -> None:
    if isinstance(part, str):
        return
    needed = PARTS[place]
    if isinstance(part, type) or not _has(part, needed):
        kind = (
            f"the class {part.__name__}"
            if isinstance(part, type)
            else f"a value of type {type(part).__name__}"
        )
        raise ConfigError(f"method: {place} is {kind}; give an option's name or an object with {needed}")


def _has(part: object, needed: str) -> bool:
    name, _, method = needed.partition("(")
    try:
        found = getattr(part, name, None)
    except FOREIGN:  # a property of the user's own
        return False
    return callable(found) if method else isinstance(found, str)


def _label(part: object) -> str:
    return part if isinstance(part, str) else type(part).__qualname__


def build_method(
    chosen: str | MethodConfig,
    settings: OptimizeConfig | None = None,
    preset: Preset = "paper",
    layout: int = 2,
) -> Method:
    """New objects for a method's name or for its four options; `layout` 1 are those of GPO 0.1.0. Raises `ConfigError`
    for an unknown name."""
    settings = settings or OptimizeConfig()
    released = preset == "released"
    if isinstance(chosen, str):
        name, row = chosen, _find_row(chosen)
    else:
        name, row = "own", chosen
    words = settings.edit_distance
    bounds = {"initial": words.initial, "final": words.final}
    if layout == 1:
        limit = layout1.edit_distance(row.edit_distance, **bounds, released=released)
        past = layout1.trajectory(row.trajectory, k=settings.k, released=released)
    else:
        limit = edit_distance(row.edit_distance, **bounds, counting=RELEASED if released else PAPER)
        past = trajectory(row.trajectory, k=settings.k, descending=released, scale=score_scale(preset))
    return Method(
        name=name,
        information=information(row.direction, batch_size=settings.batch_size, drop_remainder=released),
        trajectory=past,
        edit_distance=limit,
        refinement=refinement(row.refinement),
    )


def score_scale(preset: Preset) -> Scale:
    """How scores are shown to the optimizer model: the authors' code shows them from 0 to 1."""
    return "share" if preset == "released" else "percent"
