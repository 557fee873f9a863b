"""The best prompt as a page shows it: clean, against the initial one in line and side by side, and as it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpo.report.details import name_prompts
from gpo.report.terminal_change import asked
from gpo.report.views import RunView
from gpo.result.folding import Part, fold, fold_sides
from gpo.result.part_changes import PartChange, match_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """One of several prompts by its name, "" where there is one only: its text, and what differs from the initial one,
    in line and side by side."""

    name: str
    text: str
    changed: bool
    inline: list[Part]
    left: list[Part]
    right: list[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """`changed` says whether the best prompt is another one than the initial. `template` and `example` hold role and
    text of every turn, empty where a run is not over and for programs, which make calls of their own."""

    name: str
    changed: bool
    parts: list[PartView]
    template: list[tuple[str, str]]
    example: list[tuple[str, str]]


def build_prompt(run: RunView) -> PromptView:
    """What the section of the prompt shows."""
    changed = run.best_prompt != run.initial_prompt
    name = name_prompts(run, [run.initial_prompt, run.best_prompt])[-1] if changed else "initial"
    return PromptView(
        name=name.removeprefix("best (").removesuffix(")"),
        changed=changed,
        parts=[_view(part) for part in match_parts(run.initial_prompt, run.best_prompt)],
        template=_read_template(run.result.extra) if run.result else [],
        example=asked(run.result) if run.result else [],
    )


def _view(part: PartChange) -> PartView:
    pieces = part.pieces()
    left, right = fold_sides(pieces)
    return PartView(
        name=part.name, text=part.after, changed=part.changed, inline=fold(pieces), left=left, right=right
    )


def _read_template(extra: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The turns of a result's template, inputs as placeholders; none for a program and for a run of an older GPO."""
    template = extra.get("template")
    turns = template.get("messages") if isinstance(template, Mapping) else None
    if not isinstance(template, Mapping) or not isinstance(turns, list | tuple):
        return []
    found = [
        (str(turn.get("role", "")), str(turn.get("content", "")))
        for turn in turns
        if isinstance(turn, Mapping)
    ]
    again = template.get("second_turn")
    return [*found, ("asked after the first reply", str(again))] if again else found
