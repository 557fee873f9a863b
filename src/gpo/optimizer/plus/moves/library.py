"""The library of start prompts, the analogue of initialisation: a good start is worth more than many steps.

Small models often can do a task and do not give its answer's form, so a fixed sentence about the form beats a search
from a start without one (Coin Flip, arXiv 2604.14585; Revisiting OPRO, arXiv 2405.10276).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpo.optimizer.candidates import Guard, normalise_prompt
from gpo.task.demonstrations import Demonstration
from gpo.task.reply_form import choose_reply_form
from gpo.task.task import Task

FINAL = "Answer with only the final answer."
THINK = "Think about it first, then give the final answer at the end."
MOST_LABELS = 30
"""A longer list of labels would be most of the prompt."""
FIRST = 3
"""So many come first, without and with demonstrations; a small budget screens only these."""
GAIN = 0.02
"""In 0..1: less than that above the start prompt is nothing."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start prompt and what it is called."""

    name: str
    words: str
    demonstrations: tuple[Demonstration, ...] = ()


def label_hint(task: Task) -> str:
    """A sentence that says what an answer can be; "" where nothing is known of that."""
    choices = task.answer_choices
    if choices and len(choices) <= MOST_LABELS:
        return f"Answer with exactly one of these: {', '.join(choices)}."
    return f"The answer is {task.answer_form}. Reply with the answer alone." if task.answer_form else ""


def choose_clauses(task: Task, max_tokens: int) -> list[str]:
    """Sentences about the form of a reply that fit the task and replies of `max_tokens` tokens."""
    room = choose_reply_form(task, max_tokens) in ("free", "ends")
    return [text for text in (label_hint(task), FINAL, THINK if room else "") if text]


def build_library(
    task: Task, initial: str, max_tokens: int, guard: Guard, demonstrations: Sequence[Demonstration]
) -> list[Start]:
    """The start prompts, the most promising first: `initial`, sentences about the form, none at all; then each with
    `demonstrations`. Where a prompt has to keep placeholders or frozen parts, the sentences follow `initial`. What else
    could take the place of a program's prompts nobody knows: of one there is `initial`, without and with them."""
    if task.program is not None:
        return [
            Start("start", initial),
            *([_with(Start("start", initial), tuple(demonstrations))] * bool(demonstrations)),
        ]
    bound = bool(guard.required or guard.frozen)
    found = [Start("start", initial)]
    names = {FINAL: "final answer only", label_hint(task): "label hint", THINK: "think first"}
    for clause in choose_clauses(task, max_tokens):
        words = f"{initial} {clause}".strip() if bound else clause
        if guard.reason(words) is None:
            found.append(Start(names[clause], words))
    if not bound:
        found.append(Start("empty", ""))
    plain: dict[str, Start] = {}
    for start in found:
        plain.setdefault(normalise_prompt(start.words), start)
    first, last = list(plain.values())[:FIRST], list(plain.values())[FIRST:]
    if not demonstrations:
        return [*first, *last]
    shown = tuple(demonstrations)
    # The smallest budgets screen two or three: the start, and the form without and with demonstrations.
    given, *others = first
    return [
        given,
        *(item for start in others for item in (start, _with(start, shown))),
        _with(given, shown),
        *last,
        *(_with(start, shown) for start in last),
    ]


def _with(start: Start, shown: tuple[Demonstration, ...]) -> Start:
    return Start(f"{start.name}, with demonstrations", start.words, shown)
