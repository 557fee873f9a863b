"""The library of start prompts for programs of one or several prompts, and the sentences that an edit may add to each.

A program frames its prompts itself, so the user's words stay, and sentences follow them. The prompt that the output
comes from is told the answer's form and may show worked examples; one whose reply the program goes on with is told to
give that alone. (See `library` for why the form comes first.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpo.optimizer.candidates import Guard, normalise_prompt
from gpo.optimizer.plus.moves.library import FINAL, Start, label_hint
from gpo.optimizer.plus.moves.target_form import describe_form, is_short, list_targets
from gpo.task.demonstrations import Demonstration
from gpo.task.program.part_demonstrations import PartPlace
from gpo.task.program.parts import part_of, with_part
from gpo.task.reply_form import ROOM
from gpo.task.task import Task

QUOTE = "Use exactly the words that you are given."
ALONE = "Reply with that alone, in one line, and explain nothing."
KEEP = "Keep to the words that you are given."
THINK = "Think about it step by step."


@dataclass(frozen=True, slots=True)
class ProgramClauses:
    """Sentences that may follow the prompts `names` of a program, the most promising first: `output` those for the
    part `last`, which the output comes from (None: nobody can tell), `inner` those for the others."""

    names: tuple[str, ...]
    last: str | None
    output: tuple[str, ...]
    inner: tuple[str, ...]

    @property
    def by_part(self) -> Mapping[str | None, Sequence[str]]:
        """As an edit takes them: a part that nobody can tell of gets both kinds."""
        if len(self.names) < 2:
            return {None: self.output}
        both = (*self.output, *self.inner)
        return {
            name: both if self.last is None else self.output if name == self.last else self.inner
            for name in self.names
        }


def choose_program_clauses(task: Task, last: str | None, max_tokens: int, *, quotes: bool) -> ProgramClauses:
    """Out of the rows of `task` that a search may know. `quotes` says that answers stand in what is read; replies are
    of `max_tokens` tokens at most."""
    targets = list_targets(task)
    form = label_hint(task) or describe_form(targets)
    output = [form, FINAL if targets else "", QUOTE if quotes and is_short(targets) else ""]
    inner = [ALONE, KEEP, THINK if max_tokens >= ROOM else ""]
    return ProgramClauses(task.parts, last, tuple(filter(None, output)), tuple(filter(None, inner)))


def build_program_library(
    initial: str, clauses: ProgramClauses, guard: Guard, demonstrations: Sequence[Demonstration]
) -> list[Start]:
    """The start prompts, the most promising first: `initial`, then sentences behind its parts, without and with
    `demonstrations` in the part that the output comes from."""
    last, shown = clauses.last, tuple(demonstrations)
    place = PartPlace(clauses.names, last) if last and len(clauses.names) > 1 else None
    inner = [name for name in clauses.names if name != last]
    told = dict.fromkeys(inner, clauses.inner[:1])
    found = [Start("start", initial)]

    def add(name: str, added: Mapping[str, Sequence[str]], *, show: bool = False) -> None:
        words = _follow(initial, clauses.names, added, guard)
        if words is not None and (shown or not show):
            label = f"{name}, with demonstrations" if show else name
            found.append(Start(label, words, shown if show else (), place if show else None))

    if last is None:
        for name in inner:
            for clause in (*clauses.output, *clauses.inner[:1]):
                add(f"{name}: {clause}", {name: [clause]})
        return _distinct(found)
    first, *others = clauses.output or ("",)
    form = {last: [first]} if first else {}
    if form:
        add("form", form)
        add("form", form, show=True)
    if inner:
        add("form, replies alone" if form else "replies alone", {**form, **told})
        add("form, replies alone" if form else "replies alone", {**form, **told}, show=True)
    for clause in others:
        add(f"form: {clause}", {last: [first, clause]})
    add("start", {}, show=True)
    if inner and form:
        add("replies alone", told)
    for clause in clauses.inner[1:]:
        add(f"form, others: {clause}", {**form, **{name: [clause] for name in inner}})
    for clause in others:
        add(clause, {last: [clause]})
    return _distinct(found)


def _follow(
    initial: str, names: Sequence[str], added: Mapping[str, Sequence[str]], guard: Guard
) -> str | None:
    """`initial` with sentences behind its parts; None where one of them may be no prompt."""
    words = initial
    for name, clauses in added.items():
        key = name if len(names) > 1 else None
        text = _append(part_of(words, names, key).strip(), clauses)
        if guard.of(key).reason(text) is not None:
            return None
        words = with_part(words, names, key, text)
    return words


def _append(text: str, clauses: Sequence[str]) -> str:
    """`text` and the sentences behind it, on a line of their own where it ends without a mark."""
    return ("\n" if text[-1:].isalnum() else " ").join(filter(None, [text, " ".join(clauses)]))


def _distinct(starts: Sequence[Start]) -> list[Start]:
    kept: dict[tuple[str, bool], Start] = {}
    for start in starts:
        kept.setdefault((normalise_prompt(start.words), bool(start.demonstrations)), start)
    return list(kept.values())
