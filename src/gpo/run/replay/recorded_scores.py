"""What an earlier process of a run scored, taken from its journal: no request is built and no reply is read again.

A score counts only where this process would come to the same: the code that asks and reads is the same, byte for byte,
the model has the same identity, and every call that the score rests on is in the journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from gpo.evaluation.outcome import RowScore
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal import Journal
from gpo.task.task import Task

_META = "scored_by"
_READERS = ("task", "evaluation")
_PLAIN = ("model/model.py", "run/replay/recorded_scores.py")
Known = dict[int, RowScore]
"""By the example's place in its split."""


class RecordedScores:
    """The scores in `journal` for whoever scores `task` with the model called `identity`.

    `count(keys)` is told the calls that the scores rest on; `taken(prompt, split, values)` the scores that were taken.
    """

    def __init__(
        self,
        journal: Journal,
        task: Task,
        identity: str,
        count: Callable[[Collection[str]], None],
        taken: Callable[[str, str, Sequence[float | None]], None],
    ) -> None:
        self._journal, self._task = journal, task
        self._count, self._taken = count, taken
        self._places: dict[str, dict[str, int]] = {}
        self._left: dict[tuple[str, str], dict[int, tuple[RowScore, tuple[str, ...]]]] = {}
        self._usable = _agree(journal, _stamp(identity))

    def __call__(self, prompt: str, split: str, rows: Sequence[int]) -> Known:
        """What is known of `prompt` on the examples of `split` at the indices `rows`. Failures are not: the calls are
        asked for again, and the journal says how they failed. Raises `RunError` where the journal is damaged."""
        if not self._usable:
            return {}
        if (prompt, split) not in self._left:
            self._left[(prompt, split)] = self._read(prompt, split)
        left = self._left[(prompt, split)]
        found: Known = {}
        keys: list[str] = []
        for row in rows:
            if (known := left.pop(row, None)) is not None:
                found[row], calls = known
                keys += calls
        if found:
            self._count(keys)
            self._taken(prompt, split, [row_score.value for row_score in found.values()])
        return found

    def _read(self, prompt: str, split: str) -> dict[int, tuple[RowScore, tuple[str, ...]]]:
        places = self._places.get(split)
        if places is None:
            examples = self._task.examples(split)
            places = self._places[split] = {example.id: place for place, example in enumerate(examples)}
        recorded = self._journal.recorded
        found = {}
        for score in self._journal.scores(prompt_id(prompt), split):
            place = places.get(score.example_id)
            if place is None or score.value is None or not score.calls:
                continue
            if score.unreadable or score.cut:
                # Its reply is looked at again: what people are told of such replies shows a typical one.
                continue
            if all(key in recorded for key in score.calls):
                read = score.prediction
                read = tuple(read) if isinstance(read, list) else read
                found[place] = RowScore(score.value, unreadable=False, prediction=read), score.calls
        return found


def _agree(journal: Journal, stamp: str) -> bool:
    """Whether the recorded scores are what this process would compute. Where another GPO, or an older one, made some of
    them, no later process takes any."""
    known: Any = journal.get_meta(_META)
    agreed = stamp if known == stamp or not journal.recorded else ""
    if known != agreed:
        journal.put_meta(_META, agreed)
    return bool(agreed)


def _stamp(identity: str) -> str:
    """A hash of the code that makes a score of a prompt and an example; "" where it cannot be read."""
    root = Path(__file__).parents[2]
    hasher = hashlib.blake2b(identity.encode("utf-8", "surrogatepass") + b"\0", digest_size=16)
    try:
        files = [path for room in _READERS for path in sorted((root / room).rglob("*.py"))]
        for path in [*files, *(root / name for name in _PLAIN)]:
            hasher.update(path.read_bytes() + b"\0")
    except OSError:
        return ""
    return hasher.hexdigest() if files else ""
