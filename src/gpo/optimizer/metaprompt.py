"""The meta-prompt: what the optimizer model reads before it writes a prompt (paper, The Design of Meta-Prompt).

Puts the four parts' answers into the template `texts/meta_prompt.jinja`. Knows no method and calls no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpo.model.model import Message
from gpo.optimizer.refinement import Refinement
from gpo.optimizer.state import Information, Step
from gpo.optimizer.trajectory import Shown

Scale = Literal["percent", "share"]


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """A prompt as the template shows it: the `score` is written out, what is None is left out."""

    prompt: str
    score: str | None
    reflection: str | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class MetaPromptSettings:
    """`task_examples` rows are shown a step; scores are shown as `percent` (0 to 100, one decimal) or as `share`
    (0 to 1, as the authors' code does). `frozen` are parts of the prompt that every candidate keeps word for word."""

    task_examples: int = 3
    scale: Scale = "percent"
    frozen: tuple[str, ...] = ()


def meta_prompt(
    step: Step, shown: Shown, limit: int | None, refinement: Refinement, settings: MetaPromptSettings
) -> tuple[Message, ...]:
    """The chat that is sent for the candidates of `step`. `limit` is the edit distance in words, None for none."""
    bench = step.workbench
    current = step.current.information
    text = bench.templates.render(
        "meta_prompt",
        answers=bench.task.answer_form,
        choices=bench.task.answer_choices,
        earlier=[_formatted(point.information, settings.scale) for point in shown.earlier],
        current=_formatted(current, settings.scale),
        current_first=shown.current_first,
        summary=shown.summary,
        scale="0 to 100" if settings.scale == "percent" else "0 to 1",
        examples=[bench.task.with_slot(e) for e in bench.task_examples(step.number, settings.task_examples)],
        limit=limit,
        frozen=settings.frozen,
        refinement=refinement.template,
    )
    return (Message("user", text),)


def format_score(score: float, scale: Scale) -> str:
    """A score in 0..1 as the optimizer model reads it: "62.5" of 100, or "0.625" of 1."""
    return f"{100 * score:.1f}" if scale == "percent" else f"{score:.3f}".rstrip("0").rstrip(".")


def _formatted(information: Information, scale: Scale) -> ShownPrompt:
    score = None if information.score is None else format_score(information.score, scale)
    return ShownPrompt(information.prompt, score, information.reflection, information.notes)
