"""What chosen prompts got on single examples, and the intervals of their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpo.evaluation.statistics import Interval, wilson
from gpo.run.journal_writer import SPLIT_LEVEL, prompt_id, split_questions
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedScore

SPLITS = ("dev", "test")


@dataclass(frozen=True, slots=True)
class SplitTable:
    """`rows` maps an example id to its scores by index of the prompt; questions and answers where they are known."""

    split: str
    rows: Mapping[str, Mapping[int, RecordedScore]]
    questions: Mapping[str, Sequence[str]]


def split_table(reader: JournalReader, prompts: Sequence[str], split: str) -> SplitTable:
    """The scores of `prompts` on `split`, examples in the order of the data."""
    known = split_questions(reader, split)
    rows: dict[str, dict[int, RecordedScore]] = {}
    for index, prompt in enumerate(prompts):
        for score in reader.scores(prompt_id(prompt), split):
            rows.setdefault(score.example_id, {})[index] = score
    order = [key for key in known if key in rows] + sorted(
        (key for key in rows if key not in known), key=_natural
    )
    return SplitTable(split, {key: rows[key] for key in order}, known)


def interval(reader: JournalReader, prompt: str, split: str) -> Interval | None:
    """Wilson's 95 % interval of a prompt's mean on a split, None where it was not scored there or its score is no
    mean."""
    if reader.get_meta(SPLIT_LEVEL):
        return None
    values = [score.value for score in reader.scores(prompt_id(prompt), split) if score.value is not None]
    return wilson(values) if values else None


def _natural(example_id: str) -> tuple[str, int, str]:
    head, _, tail = example_id.rpartition(":")
    return (
        (head, int(tail), "") if tail.isdecimal() and tail.isascii() and len(tail) < 18 else (head, 0, tail)
    )
