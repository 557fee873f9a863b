"""Rows as their homes give them, brought into the form and the splits of a benchmark."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.errors import DataError
from gpo.task import benchmarks
from gpo.task.benchmarks.split_rows import split_rows

SPLITS = ("train", "dev", "test", "format", "demos")


def records(count: int) -> dict[str, list[dict[str, Any]]]:
    """Rows in the columns of every home at once."""
    rows = [
        {
            "input": [f"A{n} | is | B{n}"],
            "question": f"Question {n}?",
            "choices": ["w", "x", "y", "z"],
            "answer": n % 4,
            "text": f"Sentence {n}.",
            "pronoun": "it",
            "options": ["a", "b"],
            "label": n % 2,
            "target": f"A{n} is B{n}.",
            "references": [] if n % 2 else [f"A{n} is B{n}.", f"B{n} is A{n}.", f"B{n} is A{n}."],
        }
        for n in range(count)
    ]
    parts = {"test": rows, "train": rows[::-1], "validation": rows[::-1], "dev": rows[:5]}
    return {part: [dict(row, part=part) for row in found] for part, found in parts.items()}


@pytest.mark.parametrize("name", ["bbh/navigate", "bbh/snarks", "wsc"])
def test_one_part_is_divided_into_the_sizes_of_the_paper(name: str) -> None:
    found = benchmarks.find(name)
    splits = found.divide(records(300))
    assert {split: len(rows) for split, rows in splits.items()} == dict(found.sizes)
    inputs = [row["input"] for rows in splits.values() for row in rows]
    assert len(set(inputs)) == len(inputs)
    assert splits == found.divide(records(300))


def test_mmlu_rows_list_their_options_and_name_a_letter() -> None:
    parts = records(104)
    parts["dev"] = [{**row, "question": f"Shown {n}?"} for n, row in enumerate(parts["dev"])]
    parts["validation"] = [{**row, "question": f"Held out {n}?"} for n, row in enumerate(parts["validation"])]
    splits = benchmarks.find("mmlu/astronomy").divide(parts)
    assert [len(splits[split]) for split in SPLITS] == [20, 20, 60, 5, 4]
    assert splits["format"][0] == {"input": "Shown 0?\n(A) w\n(B) x\n(C) y\n(D) z", "target": "(A)"}
    assert splits["format"][3]["target"] == "(D)"


def test_gsm8k_takes_the_number_behind_the_solution() -> None:
    answers = ["5 * 200 = <<5*200=1000>>1000 #4\n#### 1,000", "#### -3", "x\n#### 2.50"]
    rows = [{"question": f"Q{n}?", "answer": answers[n % 3]} for n in range(600)]
    splits = benchmarks.find("gsm8k").divide({"train": rows[:240], "test": rows[240:]})
    targets = {row["input"]: row["target"] for part in splits.values() for row in part}
    assert {targets.get(f"Q{n}?", value) for n, value in ((0, 1000), (3, 1000), (6, 1000))} == {1000}
    assert set(targets.values()) == {1000, -3, 2.5}
    assert [len(splits[split]) for split in ("train", "dev", "test")] == [100, 100, 300]
    assert not {row["input"] for row in splits["test"]} & {row["input"] for row in splits["train"]}


def test_wsc_and_webnlg_rows() -> None:
    row = benchmarks.find("wsc").divide(records(270))["train"][0]
    number = int(row["input"].split()[1].rstrip("."))
    assert row["input"] == f'Sentence {number}. What does the pronoun "it" refer to?\n(A) a\n(B) b'
    assert row["target"] == ("(B)" if number % 2 else "(A)")
    parts = records(800)
    splits = benchmarks.find("webnlg").divide(
        {"validation": parts["validation"][:300], "test": parts["test"][:400]}
    )
    row = splits["test"][0]
    assert row["input"].startswith("Write the following triples as fluent English text.\n\nTriples:\nA")
    number = int(row["input"].rsplit("B", 1)[1])
    several = [f"A{number} is B{number}.", f"B{number} is A{number}."]
    assert row["target"] == (several[:1] if number % 2 else several)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=300), st.integers(1, 20), st.integers(1, 60))
def test_dealing_never_repeats_a_row_and_keeps_to_the_sizes(
    numbers: list[int], small: int, large: int
) -> None:
    rows = [{"input": f"row  {n}", "target": n} for n in numbers]
    sizes = {"train": small, "test": large + small}
    different = len(set(numbers))
    if different < 0.8 * sum(sizes.values()):
        with pytest.raises(DataError, match="different ones"):
            split_rows("any", rows, sizes)
        return
    splits = split_rows("any", rows, sizes)
    dealt = [row["target"] for part in splits.values() for row in part]
    assert len(set(dealt)) == len(dealt) == min(different, sum(sizes.values()))
    assert len(splits["train"]) == small
    assert splits == split_rows("any", rows, sizes)
