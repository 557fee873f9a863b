"""How the replies on a split could be used: how many broke off or could not be read, and what people are told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from gpo.evaluation.outcome import Outcome
from gpo.evaluation.rounds import ScorerSettings
from gpo.task.answer import name_reader
from gpo.task.task import Task
from gpo.text import shorten

MOST_USELESS = 0.2
"""Share of replies that broke off or could not be read beyond which a run says so."""
_TYPICAL = 100
"""Characters of a reply that is shown."""


@dataclass
class _Seen:
    """The replies on one split. Of the `useless` ones the texts (shortened) with their counts: by the round that broke
    off, and under 0 those that ended by themselves and could not be read."""

    pairs: set[Hashable] = field(default_factory=set)
    useless: int = 0
    texts: dict[int, Counter[str]] = field(default_factory=dict)


class ReplyLog:
    """Counts the replies of one run by split, each (prompt, example) once, whatever the order they come in. A call that
    failed has no reply and is not counted."""

    def __init__(self, task: Task, settings: ScorerSettings) -> None:
        self._task, self._settings = task, settings
        self._splits: dict[str, _Seen] = {}

    def see(self, prompt: str, split: str, outcome: Outcome) -> None:
        """One more outcome."""
        if outcome.failure is not None:
            return
        seen = self._splits.setdefault(split, _Seen())
        pair = (prompt, outcome.example.id)
        if pair in seen.pairs:
            return
        seen.pairs.add(pair)
        if outcome.cut is None and not outcome.unreadable:
            return
        cause, text = (outcome.cut.round, outcome.cut.text) if outcome.cut else (0, outcome.reply)
        seen.useless += 1
        seen.texts.setdefault(cause, Counter())[shorten(text, _TYPICAL)] += 1

    def see_useful(self, prompt: str, split: str, examples: Iterable[str]) -> None:
        """Replies that an earlier process could use, by the ids of their examples."""
        seen = self._splits.setdefault(split, _Seen())
        seen.pairs.update((prompt, example) for example in examples)

    def count(self, split: str) -> int:
        """Replies on `split` so far."""
        return len(self._splits[split].pairs) if split in self._splits else 0

    def count_useless(self, split: str) -> int:
        """Those of them that broke off or could not be read."""
        return self._splits[split].useless if split in self._splits else 0

    def warnings(self, split: str) -> list[str]:
        """One line a cause where more than a fifth of the replies on `split` broke off or could not be read: how many,
        why, a typical reply and what to change. The more frequent cause stands first."""
        seen = self._splits.get(split, _Seen())
        if seen.useless <= MOST_USELESS * len(seen.pairs):
            return []
        causes = sorted(seen.texts, key=lambda cause: (-seen.texts[cause].total(), cause))
        return [self._line(split, cause, seen) for cause in causes]

    def _line(self, split: str, cause: int, seen: _Seen) -> str:
        texts = seen.texts[cause]
        head = f"{split}: {texts.total():,} of {len(seen.pairs):,} replies"
        typical = _typical(texts)
        shown = f"a typical reply: '{typical}'" if typical else "a typical reply is empty"
        if cause == 0:
            name = name_reader(self._task.answer)
            return f"{head} could not be read as {name}; {shown}; see task.answer or the prompt"
        settings = self._settings
        key, value = {
            1: ("models.task.max_tokens", settings.max_tokens),
            2: ("task.answer.second_round_tokens", settings.second_round_tokens),
        }[cause]
        return f"{head} were cut at {key}: {value}; raise it; {shown}"


def _typical(texts: Mapping[str, int]) -> str:
    """The most frequent text; of equally frequent ones that of middle length."""
    most = max(texts.values())
    equal = sorted((text for text, count in texts.items() if count == most), key=lambda t: (len(t), t))
    return equal[len(equal) // 2]
