"""What changed in a prompt, on a terminal: the initial prompt, the words that differ, and how the best one is sent.

All of it is untrusted text and is made printable; what is long is cut or folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gpo.result.folding import fold
from gpo.result.result import Result
from gpo.result.word_diff import compare_words
from gpo.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_STYLES = {"same": "", "removed": "red strike", "added": "bold green", "folded": "dim"}
_MARKS = {"removed": ("[-", "-]"), "added": ("{+", "+}")}
_LONGEST_TURN = 800
_LONGEST_SAME, _LONGEST_CHANGE, _KEPT = 30, 60, 10


def show_change(result: Result, *, marked: bool) -> list[RenderableType]:
    """The lines. Differences are `marked` where colours cannot be seen."""
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = [
        Text(),
        Text("initial prompt", style="bold"),
        Padding(Text(printable(_shorten(result.initial_prompt), newlines=True)), (0, 2)),
        Text("what changed", style="bold"),
        Padding(_diff(result, marked), (0, 2)),
    ]
    if turns := asked(result):
        parts += [Text("as it is asked, for the first dev row", style="bold"), Padding(_turns(turns), (0, 2))]
    return parts


def asked(result: Result) -> list[tuple[str, str]]:
    """Role and text of every turn of the filled example of `result`; none where there is none."""
    turns = result.extra.get("example")
    if not isinstance(turns, list | tuple):
        return []
    return [
        (str(turn.get("role", "")), str(turn.get("content", "")))
        for turn in turns
        if isinstance(turn, Mapping)
    ]


def _diff(result: Result, marked: bool) -> Text:
    """The best prompt with its differences to the initial one, long parts folded."""
    from rich.text import Text

    text = Text()
    pieces = compare_words(result.initial_prompt, result.best_prompt)
    for part in fold(pieces, _LONGEST_SAME, _KEPT, _LONGEST_CHANGE):
        if part.kind == "folded":
            text.append(f" … ({part.words:,} more words) … ", style=_STYLES[part.kind])
            continue
        word = printable(part.text, newlines=True)
        body = word.strip()
        start = word[: len(word) - len(word.lstrip())]
        before, after = _MARKS.get(part.kind, ("", "")) if marked and body else ("", "")
        text.append(start).append(before + body + after, style=_STYLES[part.kind])
        text.append(word[len(start) + len(body) :] or (" " if body else ""))
    return text


def _turns(turns: list[tuple[str, str]]) -> Text:
    """What is sent with the best prompt for one row, each turn with its role."""
    from rich.text import Text

    text = Text()
    for role, content in turns:
        text.append(f"{role}: ", style="dim")
        text.append(f"{printable(_shorten(content), newlines=True)}\n")
    text.rstrip()
    return text


def _shorten(text: str) -> str:
    """The beginning of a long text, whole words where it has any."""
    if len(text) <= _LONGEST_TURN:
        return text
    kept = text[: _LONGEST_TURN + 1]
    end = max(kept.rfind(space) for space in (" ", "\n"))
    return f"{kept[:end] if end > 0 else kept[:_LONGEST_TURN]} …"
