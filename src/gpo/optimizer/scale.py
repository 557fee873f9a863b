"""Scores as the optimizer model reads them: one scale for all that it is shown in a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpo.optimizer.state import Information

Scale = Literal["percent", "share"]
RANGES: dict[Scale, str] = {"percent": "0 to 100", "share": "0 to 1"}


def format_score(score: float, scale: Scale) -> str:
    """A score in 0..1 as the optimizer model reads it: "62.5" of 100, or "0.625" of 1."""
    return f"{100 * score:.1f}" if scale == "percent" else f"{score:.3f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """A prompt as a template shows it: the `score` is written out, what is None is left out."""

    prompt: str
    score: str | None
    reflection: str | None
    notes: str | None


def scale_information(information: Information, scale: Scale) -> ShownPrompt:
    """`information` for a template, its score a text in `scale`."""
    score = None if information.score is None else format_score(information.score, scale)
    return ShownPrompt(information.prompt, score, information.reflection, information.notes)
