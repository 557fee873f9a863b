"""The library of start prompts for programs of one or several prompts, and the sentences that an edit may add to each.

A program frames its prompts itself, so the user's words stay, and sentences follow them. The prompt that the output
comes from is told the answer's form and may show worked examples; one whose reply the program goes on with is told to
give that alone. (See `library` for why the form comes first.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gpo.optimizer.candidates import Guard, normalise_prompt
from gpo.optimizer.plus.moves.library import FINAL, Start, label_hint
from gpo.optimizer.plus.moves.target_form import describe_form, is_short, list_targets
from gpo.task.demonstrations import Demonstration
from gpo.task.program.parts import part_of, with_part
from gpo.task.reply_form import ROOM
from gpo.task.task import Task

QUOTE = "Use exactly the words that you are given."
ALONE = "Reply with that alone, in one line, and explain nothing."
KEEP = "Keep to the words that you are given."
THINK = "Think about it step by step."
FIRST = 2
"""Sentences about the form that come first, without and with demonstrations."""

Added = Mapping[str, Sequence[str]]
"""Sentences by the part that they follow."""


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
        both = tuple(dict.fromkeys((*self.inner, *self.output)))
        return {
            name: both if self.last is None else self.output if name == self.last else self.inner
            for name in self.names
        }


def choose_program_clauses(task: Task, last: str | None, max_tokens: int, *, quotes: bool) -> ProgramClauses:
    """Out of the rows of `task` that a search may know. `quotes` says that answers stand in what is read; replies are
    of `max_tokens` tokens at most."""
    targets = list_targets(task)
    form = label_hint(task) or describe_form(targets)
    output = [form, FINAL if targets else "", ALONE, QUOTE if quotes and is_short(targets) else ""]
    inner = [ALONE, KEEP, THINK if max_tokens >= ROOM else ""]
    return ProgramClauses(task.parts, last, tuple(filter(None, output)), tuple(filter(None, inner)))


def build_program_library(
    initial: str, clauses: ProgramClauses, guard: Guard, demonstrations: Sequence[Demonstration]
) -> list[Start]:
    """The start prompts, the most promising first: `initial`, then sentences behind its parts, without and with
    `demonstrations` in the part that the output comes from."""
    last, shown = clauses.last, tuple(demonstrations)
    found = [Start("start", initial)]
    for name, added, shows in _list_starts(clauses) if last else _list_unknown(clauses):
        words = _follow(initial, clauses.names, added, guard)
        if words is None or (shows and not shown):
            continue
        found.append(Start(f"{name} with demonstrations", words, shown) if shows else Start(name, words))
    distinct = {(normalise_prompt(one.words), bool(one.demonstrations)): one for one in reversed(found)}
    return list(reversed(distinct.values()))


def _list_starts(clauses: ProgramClauses) -> Iterator[tuple[str, Added, bool]]:
    """What a start is called, the sentences behind each part, and whether it shows demonstrations."""
    last = str(clauses.last)
    forms = [(clause, {last: [clause]}) for clause in clauses.output]
    inner = [name for name in clauses.names if name != last]
    others = [
        (f"The others: {clause}", {name: [clause] for name in inner}) for clause in clauses.inner if inner
    ]
    for shows in (False, True):
        yield from ((name, added, shows) for name, added in forms[:FIRST])
    for name, added in others[:1]:
        yield from ((f"{form} {name}", {**told, **added}, False) for form, told in forms[:FIRST])
    yield "start", {}, True
    yield from ((name, added, False) for name, added in (*others[:1], *forms[FIRST:]))
    if len(forms) > 1:
        yield " ".join(clauses.output[:2]), {last: clauses.output[:2]}, False
    yield from ((name, added, False) for name, added in others[1:])


def _list_unknown(clauses: ProgramClauses) -> Iterator[tuple[str, Added, bool]]:
    """The same where nobody can tell which part the output comes from: "that alone" behind all, the form behind the
    last one, then each sentence behind each."""
    alone = {name: [ALONE] for name in clauses.names}
    yield f"All: {ALONE}", alone, False
    for clause in clauses.output[:FIRST]:
        yield (
            f"{clauses.names[-1]}: {clause} The others: {ALONE}",
            {**alone, clauses.names[-1]: [clause]},
            False,
        )
    for clause in (ALONE, *(one for one in clauses.output if one != ALONE)):
        yield from ((f"{name}: {clause}", {name: [clause]}, False) for name in clauses.names)


def _follow(initial: str, names: Sequence[str], added: Added, guard: Guard) -> str | None:
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
