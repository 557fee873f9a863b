"""What changed in a prompt, on a terminal: the initial prompt, the words that differ, and how the best one is sent.

All of it is untrusted text and is made printable; what is long is cut or folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gpo.result.folding import fold
from gpo.result.part_changes import PartChange, match_parts
from gpo.result.result import Result
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

    changes = match_parts(result.initial_prompt, result.best_prompt)
    initial = Text("\n").join(
        _named(part, Text(printable(_shorten(part.before), newlines=True))) for part in changes
    )
    parts: list[RenderableType] = [
        Text(),
        Text("initial prompt", style="bold"),
        Padding(initial, (0, 2)),
        Text("what changed", style="bold"),
        Padding(Text("\n").join(_named(part, _diff(part, marked)) for part in changes), (0, 2)),
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


def _named(part: PartChange, text: Text) -> Text:
    """`text` behind the name of its prompt, where that has one."""
    from rich.text import Text

    return Text.assemble((f"{printable(part.name)}: ", "bold cyan"), text) if part.name else text


def _diff(change: PartChange, marked: bool) -> Text:
    """A prompt of the best ones with its differences to the initial one, long parts folded."""
    from rich.text import Text

    if change.name and not change.changed:
        return Text("unchanged", style="dim")
    text = Text()
    for part in fold(change.pieces(), _LONGEST_SAME, _KEPT, _LONGEST_CHANGE):
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
