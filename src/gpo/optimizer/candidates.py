"""Makes candidate prompts of an optimizer model's replies, and refuses what is no prompt.

Weak optimizer models copy the examples, answer the question or ramble; the journal keeps why each was refused. How a
reply is read: `gpo.optimizer.reply`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gpo.optimizer.not_prompts import find_fault, ngrams, plain
from gpo.optimizer.parts.edit_distance import count_changed_words
from gpo.optimizer.reply import is_closed, read_reply
from gpo.task.program.parts import has_mark
from gpo.task.prompt import find_placeholders

_SLOT = re.compile(r"<\s*(?:/\s*)?(?:prompt|start|end|demonstrations)\s*>", re.IGNORECASE)
_SCORE = re.compile(r"^[ \t]*score[ \t]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reply of the optimizer model and what became of it.

    `prompt` is the text between the tags. `rejected` is the reason where it was refused, None where it was scored.
    `distance` is the word-level Levenshtein distance to the parent prompt. `attempt` counts the resampling rounds;
    `move` says how it was made, of methods with several ways.
    """

    raw: str
    prompt: str
    parent: str
    distance: int
    attempt: int = 0
    rejected: str | None = None
    move: str = ""


@dataclass(frozen=True)
class Guard:
    """Decides whether a text may become a prompt.

    `examples` are texts of rows that a prompt must not copy: `ngram` words in a row that stand in a few of them only
    (a phrase that many rows share is the task's own wording). `required` are the placeholders of the initial prompt;
    `answers` are bare answers, which are no prompts. `columns` are the names that a placeholder may have beside those
    of the initial prompt, None for any; `frozen` are texts that every prompt keeps word for word. `parts` has a guard
    for each of several prompts, which has `marks` to look for: those that keep them apart. `rare` are the runs of words
    that a few examples have, counted where it is None.
    """

    examples: Iterable[str] = ()
    required: Sequence[str] = ()
    answers: Sequence[str] = ()
    initial: str = ""
    max_words: int = 200
    ngram: int = 8
    columns: frozenset[str] | None = None
    frozen: Sequence[str] = ()
    parts: Mapping[str, Guard] = field(default_factory=dict, repr=False)
    marks: bool = False
    rare: frozenset[str] | None = field(default=None, repr=False, compare=False)
    _allowed: frozenset[str] = field(init=False, repr=False, compare=False)
    _answers: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.rare is None:
            object.__setattr__(self, "rare", _find_rare(self.examples, self.ngram))
        object.__setattr__(self, "_allowed", frozenset(ngrams(self.initial, self.ngram)))
        object.__setattr__(self, "_answers", frozenset(plain(answer) for answer in self.answers))

    def of(self, part: str | None) -> Guard:
        """The guard of one of several prompts; this one where `part` is None."""
        return self if part is None else self.parts[part]

    def reason(self, prompt: str) -> str | None:
        """Why `prompt` is refused, or None where it may be scored."""
        words = prompt.split()
        if not plain(prompt):
            return "empty"
        if _SLOT.search(prompt) or (self.marks and has_mark(prompt)):
            return "contains a tag of the reply form"
        if len(words) > self.max_words:
            return f"{len(words)} words, more than optimize.max_words ({self.max_words})"
        if plain(prompt) in self._answers:
            return "is an answer and not a prompt"
        if fault := find_fault(prompt, self.initial):
            return fault
        if _SCORE.search(prompt):
            return "repeats the list of scored prompts"
        found = set(find_placeholders(prompt))
        if missing := [name for name in self.required if name not in found]:
            return f"drops the placeholder {{{missing[0]}}}"
        if self.columns is not None and (made_up := found - self.columns - set(self.required)):
            return f"invents the placeholder {{{min(made_up)}}}"
        if changed := [text for text in self.frozen if text not in prompt]:
            return f"changes a frozen part: {changed[0]}"
        rare = self.rare or frozenset()
        for gram in ngrams(prompt, self.ngram):
            if gram in rare and gram not in self._allowed:
                return f"copies an example: {gram}"
        return None


def read_candidate(
    raw: str,
    parent: str,
    guard: Guard,
    *,
    attempt: int = 0,
    limit: int | None = None,
    cut_off: bool = False,
) -> Candidate:
    """Read one reply and judge it. `limit` is the edit distance in words where it is enforced, else None; `cut_off`
    says that the reply ended at its most tokens, which spoils it where that happened before the closing tag."""
    prompt = read_reply(raw)
    distance = count_changed_words(parent, prompt)
    # What else is wrong with a prompt that broke off comes of that.
    broken = cut_off and not is_closed(raw)
    rejected = "is cut off at models.optimizer.max_tokens" if broken else guard.reason(prompt)
    if rejected is None and limit is not None and distance > limit:
        rejected = f"changes {distance} words, more than the limit of {limit}"
    return Candidate(raw, prompt, parent, distance, attempt, rejected)


def normalise_prompt(prompt: str) -> str:
    """The form in which two prompts count as the same: their words, whatever the white space between them."""
    return " ".join(prompt.split())


def _find_rare(examples: Iterable[str], n: int) -> frozenset[str]:
    counts: Counter[str] = Counter()
    rows = 0
    for text in examples:
        rows += 1
        counts.update(set(ngrams(text, n)))
    most = max(1, rows // 10)
    return frozenset(gram for gram, count in counts.items() if count <= most)
