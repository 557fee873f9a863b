"""What changed in behaviour: examples fixed and broken between the initial and the best prompt, and labels confused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gpo.report.scores import SplitTable, split_table
from gpo.report.views import RunView
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedScore

_MOST_LABELS = 10
_OTHER, _UNREADABLE = "\0other", "\0unreadable"  # no label of a task reads so
_COLUMNS = {_OTHER: "(another answer)", _UNREADABLE: "(unreadable)"}
Group = Literal["fixed", "broken", "right", "never", "improved", "worse", "same"]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts by expected label (rows) and what was read (columns), for one prompt; labels as they are expected."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Of the examples of `split` that both prompts were scored on: how many by group. Graded scores have the groups
    improved, worse and same, others fixed, broken, right (both times) and never (right)."""

    split: str
    graded: bool
    counts: Mapping[Group, int]
    confusions: tuple[Confusion, ...]

    @property
    def total(self) -> int:
        """Examples compared."""
        return sum(self.counts.values())


def build_changes(run: RunView, reader: JournalReader) -> Changes | None:
    """The changes on the held-out test set, on dev where that was not evaluated; None where there is one prompt only
    or no example that both were scored on."""
    if run.best_prompt == run.initial_prompt:
        return None
    for split in ("test", "dev") if run.status == "complete" else ("dev",):
        table = split_table(reader, [run.initial_prompt, run.best_prompt], split)
        found = count_changes(table)
        if found.total:
            return found
    return None


def count_changes(table: SplitTable) -> Changes:
    """The changes from the first to the second prompt of `table`."""
    pairs = {
        key: (row[0], row[1])
        for key, row in table.rows.items()
        if 0 in row and 1 in row and row[0].value is not None and row[1].value is not None
    }
    graded = any(score.value not in (0.0, 1.0) for pair in pairs.values() for score in pair)
    counts: Counter[Group] = Counter()
    for before, after in pairs.values():
        counts[_group(before.value or 0.0, after.value or 0.0, graded=graded)] += 1
    confusions = () if graded else _confuse(pairs, table.questions)
    return Changes(table.split, graded, counts, confusions)


def _group(before: float, after: float, *, graded: bool) -> Group:
    if graded:
        return "improved" if after > before else "worse" if after < before else "same"
    if before == after:
        return "right" if after else "never"
    return "fixed" if after else "broken"


def _confuse(
    pairs: Mapping[str, tuple[RecordedScore, RecordedScore]], questions: Mapping[str, Sequence[str]]
) -> tuple[Confusion, ...]:
    """A table for each of the two prompts where the expected answers are few labels."""
    expected = {key: questions[key][1] for key in pairs if key in questions}
    names: dict[str, str] = {}
    for label in expected.values():
        names.setdefault(_fold_case(label), label)
    if not 2 <= len(names) <= _MOST_LABELS or len(expected) < 2 * len(names):
        return ()
    found = []
    for place, name in enumerate(("initial prompt", "best prompt")):
        counts: Counter[tuple[str, str]] = Counter()
        for key, label in expected.items():
            own = _fold_case(label)
            counts[own, _read_label(pairs[key][place], own, names)] += 1
        seen = {column for _, column in counts}
        columns = [*names, *(extra for extra in _COLUMNS if extra in seen)]
        found.append(
            Confusion(
                name,
                tuple(names.get(column) or _COLUMNS[column] for column in columns),
                tuple((names[row], tuple(counts[row, column] for column in columns)) for row in names),
            )
        )
    return tuple(found)


def _read_label(score: RecordedScore, own: str, names: Mapping[str, str]) -> str:
    if score.value == 1.0:  # whatever form it was read in, it counted as the expected label
        return own
    if score.unreadable:
        return _UNREADABLE
    read = _fold_case(score.prediction) if isinstance(score.prediction, str) else ""
    return read if read in names and read != own else _OTHER


def _fold_case(label: str) -> str:
    return label.strip().casefold()
