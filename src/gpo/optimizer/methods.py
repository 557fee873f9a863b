"""Methods are nothing but rows: a name and one option of each of the four parts (paper, Table 4).

Knows the options' names and presets, and no step of the loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpo.config.schema import MethodConfig, OptimizeConfig
from gpo.errors import ConfigError
from gpo.optimizer import layout1
from gpo.optimizer.edit_distance import PAPER, RELEASED, EditDistance, edit_distance
from gpo.optimizer.information import CurrentInformation, information
from gpo.optimizer.refinement import Refinement, refinement
from gpo.optimizer.scale import Scale
from gpo.optimizer.trajectory import Trajectory, trajectory

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


@dataclass(frozen=True, slots=True)
class Method:
    """One object for each part; any of them may be a user's own."""

    name: str
    information: CurrentInformation
    trajectory: Trajectory
    edit_distance: EditDistance
    refinement: Refinement


def method(
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
        if chosen not in METHODS:
            raise ConfigError(f"method: there is no {chosen!r}; there are {', '.join(METHODS)}")
        name, row = chosen, METHODS[chosen]
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
