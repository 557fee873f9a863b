"""The best prompt as a page shows it: clean, against the initial one in line and side by side, and as it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gpo.report.data import RunView
from gpo.report.details import name_prompts
from gpo.report.terminal import asked
from gpo.result.word_diff import Piece, compare_words

_LONGEST_SAME, _KEPT = 80, 20
"""Unchanged words from which on a part is folded, and how many of them stay at each end."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a comparison; `folded` is what is hidden until it is asked for, `words` how many that are."""

    kind: Literal["same", "removed", "added", "folded"]
    text: str
    words: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """`inline`, `left` and `right` are empty where nothing changed. `template` and `example` hold role and text of
    every turn, empty where a run is not over."""

    name: str
    inline: list[Part]
    left: list[Part]
    right: list[Part]
    template: list[tuple[str, str]]
    example: list[tuple[str, str]]


def build_prompt(run: RunView) -> PromptView:
    """What the section of the prompt shows."""
    pieces = list(compare_words(run.initial_prompt, run.best_prompt))
    if run.best_prompt == run.initial_prompt:
        pieces, name = [], "initial"
    else:
        name = name_prompts(run, [run.initial_prompt, run.best_prompt])[-1]
    return PromptView(
        name=name.removeprefix("best (").removesuffix(")"),
        inline=fold(pieces),
        left=fold(piece for piece in pieces if piece.kind != "added"),
        right=fold(piece for piece in pieces if piece.kind != "removed"),
        template=_read_template(run.result.extra) if run.result else [],
        example=asked(run.result) if run.result else [],
    )


def fold(pieces: Iterable[Piece], longest: int = _LONGEST_SAME, kept: int = _KEPT) -> list[Part]:
    """The pieces with the middle of unchanged ones of more than `longest` words folded; `kept` words stay at each end,
    at most half of `longest`."""
    found: list[Part] = []
    for piece in pieces:
        ends = _find_ends(piece.text, longest, kept) if piece.kind == "same" else None
        if ends is None:
            found.append(Part(piece.kind, piece.text))
            continue
        first, last, words = ends
        found += [
            Part("same", piece.text[:first]),
            Part("folded", piece.text[first:last], words),
            Part("same", piece.text[last:]),
        ]
    return found


def _find_ends(text: str, longest: int, kept: int) -> tuple[int, int, int] | None:
    """Where the middle of a long text begins and ends, and how many words it has."""
    words = text.split()
    if len(words) <= longest:
        return None
    first = last = 0
    for word in words[:kept]:
        first = text.index(word, first) + len(word)
    last = len(text)
    for word in reversed(words[-kept:]):
        last = text.rindex(word, 0, last)
    return first, last, len(words) - 2 * kept


def _read_template(extra: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The turns of a result's template, inputs as placeholders; none for a run of an older GPO."""
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
