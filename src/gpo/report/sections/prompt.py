"""The best prompt as a page shows it: clean, against the initial one in line and side by side, and as it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpo.report.details import name_prompts
from gpo.report.terminal_change import asked
from gpo.report.views import RunView
from gpo.result.folding import Part, fold, fold_sides
from gpo.result.word_diff import compare_words


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """`inline`, `left` and `right` are empty where nothing changed. `template` and `example` hold role and text of
    every turn, empty where a run is not over; `named` says that the former are the prompts of a program."""

    name: str
    inline: list[Part]
    left: list[Part]
    right: list[Part]
    template: list[tuple[str, str]]
    example: list[tuple[str, str]]
    named: bool = False


def build_prompt(run: RunView) -> PromptView:
    """What the section of the prompt shows."""
    pieces = list(compare_words(run.initial_prompt, run.best_prompt))
    if run.best_prompt == run.initial_prompt:
        pieces, name = [], "initial"
    else:
        name = name_prompts(run, [run.initial_prompt, run.best_prompt])[-1]
    left, right = fold_sides(pieces)
    return PromptView(
        name=name.removeprefix("best (").removesuffix(")"),
        inline=fold(pieces),
        left=left,
        right=right,
        template=_read_template(run.result.extra) if run.result else [],
        example=asked(run.result) if run.result else [],
        named="program" in run.result.extra if run.result else False,
    )


def _read_template(extra: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The turns of a result's template, inputs as placeholders; the prompts of a program by their names; none for a run
    of an older GPO."""
    if "program" in extra:
        named = extra.get("best_prompts")
        return [(str(k), str(v)) for k, v in named.items()] if isinstance(named, Mapping) else []
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
