"""What is read from real replies of models, against what a person read from them (see docs/answer-reading.md)."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from gpo.task.answer import Prediction, answer_reader, read_reply
from gpo.task.answer.factory import AnswerKind

FOLDER = Path(__file__).with_name("labelled")
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (FOLDER / "outputs.jsonl").read_text(encoding="utf-8").splitlines()
]


def read(row: dict[str, Any]) -> Prediction:
    """As a task reads it: the kind, its vocabulary, the question, and whether the reply was cut off."""
    reader = answer_reader(row["kind"], labels=row.get("labels", ()), targets=row.get("words", ()))
    return read_reply(reader, row["reply"], row["question"], cut=row["finish"] == "length")


def agrees(found: Prediction, label: Any) -> bool:
    if found is None or label is None:
        return found is label
    if isinstance(found, float):
        return math.isclose(found, label, rel_tol=1e-9)
    return bool((list(found) if isinstance(found, tuple) else found) == label)


def misses() -> list[tuple[dict[str, Any], Prediction]]:
    return [(row, found) for row in ROWS if not agrees(found := read(row), row["label"])]


def test_the_set_is_large_and_has_all_kinds() -> None:
    kinds = Counter(row["kind"] for row in ROWS)
    assert len(ROWS) >= 200
    assert set(kinds) == set(get_args(AnswerKind))
    assert min(kinds.values()) >= 15
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert {row["finish"] for row in ROWS} == {"stop", "length"}
    assert sum(row["label"] is None for row in ROWS) >= 40


def test_at_least_99_of_100_replies_are_read_as_a_person_reads_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missed = misses()
    with capsys.disabled():
        for row, found in missed:
            print(f"\n{row['id']}: a person reads {row['label']!a}, the reader {found!a}", end="")
    agreement = 1 - len(missed) / len(ROWS)
    assert agreement >= 0.99, f"{agreement:.2%} of {len(ROWS)}"


def test_the_page_lists_what_is_missed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "answer-reading.md").read_text(encoding="utf-8")
    listed = {row["id"] for row in ROWS if f"| {row['id']} |" in page}
    assert listed == {row["id"] for row, _ in misses()}
    assert f"{len(ROWS) - len(misses())} of {len(ROWS)}" in page
