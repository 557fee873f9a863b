"""The line that stays on a terminal when a step is over, made for its width."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gpo.task.program.parts import find_part
from gpo.text import printable

if TYPE_CHECKING:
    from gpo.optimizer.search import StepRecord

_ROOM, _LEAST_ROOM = 24, 12
"""Columns that the prompt has before less important figures are left out, and under which it is left out itself."""


def describe_step(record: StepRecord, width: int) -> str:
    """Step, scores and the beginning of the current prompt in at most `width` columns. The number of candidates and the
    edit limit stand where there is room for them."""
    better = " ↑" if record.best_score > record.parent_score and record.best == record.chosen else "  "
    step = f"step {record.step + 1:>{len(str(record.total))}}/{record.total}"
    scores = f"dev {100 * record.chosen_score:5.1f}  best {100 * record.best_score:5.1f}{better}"
    count = f"{record.scored} candidates"
    limit = [] if record.limit is None else [f"edit limit {record.limit:>2}"]
    heads = ["  ".join([step, *more, scores, ""]) for more in ([*limit, count], [count], [])]
    head = next((text for text in heads if width - len(text) >= _ROOM), heads[-1])
    room = width - len(head)
    return head + cut_at_word(changed_text(record), room) if room >= _LEAST_ROOM else head.rstrip()


def changed_text(record: StepRecord) -> str:
    """The prompt that a step chose; of several the one that it changed, behind its name."""
    if record.part is None:
        return record.chosen
    return f"{record.part}: {find_part(record.chosen, record.part)}"


def cut_at_word(text: str, width: int) -> str:
    """At most `width` columns of one line: whole words, an ellipsis in place of the rest. Only a first word that is
    longer is cut itself, as in scripts without spaces."""
    from rich.cells import cell_len

    words = printable(text).split()
    line = " ".join(words)
    if cell_len(line) <= width:
        return line
    kept = _fill(words, width - 2, lambda parts: cell_len(" ".join(parts)))
    if kept:
        return " ".join(kept) + " …"
    return "".join(_fill(list(line), width - 1, lambda parts: cell_len("".join(parts)))) + "…"


def _fill(parts: list[str], width: int, measure: Callable[[list[str]], int]) -> list[str]:
    """The first of `parts` that fit."""
    count = 0
    while count < len(parts) and measure(parts[: count + 1]) <= width:
        count += 1
    return parts[:count]
