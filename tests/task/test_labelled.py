"""What is read from labelled replies, against what a person read from them (see docs/answer-reading.md)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from benchmarks.answer_agreement import FOLDER, Reading, read, rows

from gpo.task.answer.factory import AnswerKind

FILES = ("outputs", "written", "put_aside")
READINGS: dict[str, list[Reading]] = {
    name: [read(row) for row in rows(FOLDER / f"{name}.jsonl")] for name in FILES
}
ROWS = [reading.row for readings in READINGS.values() for reading in readings]


def misses() -> list[Reading]:
    return [reading for readings in READINGS.values() for reading in readings if reading.verdict != "agrees"]


def test_the_set_is_large_and_has_all_kinds() -> None:
    kinds = Counter(row["kind"] for row in ROWS)
    assert len(ROWS) >= 400
    assert len(READINGS["outputs"]) >= 200
    assert set(kinds) == set(get_args(AnswerKind)) - {"json"}  # test_json_answers.py has those
    assert min(kinds.values()) >= 30
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert {row["finish"] for row in ROWS} == {"stop", "length"}
    assert sum(row["label"] is None for row in ROWS) >= 70
    assert len({row["language"] for row in ROWS if "language" in row}) >= 10


@pytest.mark.parametrize(("name", "least"), [("outputs", 0.99), ("written", 0.99), ("put_aside", 0.96)])
def test_replies_are_read_as_a_person_reads_them(
    name: str, least: float, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = [reading for reading in READINGS[name] if reading.verdict != "agrees"]
    with capsys.disabled():
        for row, found, _ in missed:
            print(f"\n{row['id']}: a person reads {row['label']!a}, the reader {found!a}", end="")
    agreement = 1 - len(missed) / len(READINGS[name])
    assert agreement >= least, f"{agreement:.2%} of {len(READINGS[name])}"


def test_the_page_lists_what_is_missed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "answer-reading.md").read_text(encoding="utf-8")
    listed = {row["id"] for row in ROWS if f"| {row['id']} |" in page}
    assert listed == {reading.row["id"] for reading in misses()}
    for name, readings in READINGS.items():
        missed = sum(reading.verdict != "agrees" for reading in readings)
        assert f"{len(readings) - missed} of {len(readings)}" in page, name
