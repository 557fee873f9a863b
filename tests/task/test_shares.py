"""`task.split` in shares, and rows dealt by their labels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from gpo.config.task import TaskConfig
from gpo.errors import ConfigError
from gpo.task.draw import count_rows
from gpo.task.task import Task

SHARES = {"train": 0.2, "dev": 0.3, "test": 0.5}


def rows(**labels: int) -> list[dict[str, str]]:
    return [
        {"input": f"{label} {n}", "target": label} for label, count in labels.items() for n in range(count)
    ]


def mix(task: Task, split: str) -> Counter[str]:
    return Counter(str(example.target) for example in task.examples(split))


def test_shares_miss_no_row_and_none_is_nothing() -> None:
    assert count_rows(SHARES, 240, "x") == {"train": 48, "dev": 72, "test": 120}
    # 3 × 7/3 would be three times 2.
    thirds = dict.fromkeys(("train", "dev", "test"), 1 / 3)
    assert count_rows(thirds, 7, "x") == {"train": 2, "dev": 3, "test": 2}
    assert count_rows({"train": 0.001, "dev": 5, "test": 0.5}, 100, "x") == {"train": 1, "dev": 5, "test": 50}
    with pytest.raises(ConfigError, match=r"the shares come to 1\.1"):
        count_rows({"train": 0.6, "test": 0.5}, 10, "x")
    with pytest.raises(ConfigError, match="asks for 12 rows, but x has 10"):
        count_rows({"train": 7, "test": 0.5}, 10, "x")


def test_every_split_has_the_mix_of_labels_of_the_file() -> None:
    task = Task.from_rows(rows(a=100, b=60, c=40), split=SHARES, answer="label")
    assert mix(task, "train") == {"a": 20, "b": 12, "c": 8}
    assert mix(task, "dev") == {"a": 30, "b": 18, "c": 12}
    assert mix(task, "test") == {"a": 50, "b": 30, "c": 20}
    inputs = {example.input for split in SHARES for example in task.examples(split)}
    assert len(inputs) == 200
    # Train does not go round the labels.
    assert [str(example.target) for example in task.splits.train[:6]] != ["a", "b", "c", "a", "b", "a"]


def test_train_has_a_row_of_every_label_however_rare() -> None:
    for seed in range(10):
        task = Task.from_rows(rows(a=90, b=8, rare=2), split=SHARES, answer="label", seed=seed)
        assert set(mix(task, "train")) == {"a", "b", "rare"}


def test_the_same_seed_deals_the_same_rows_and_another_one_others() -> None:
    def inputs(seed: int) -> list[str]:
        task = Task.from_rows(rows(a=40, b=40), split=SHARES, answer="label", seed=seed)
        return [example.input for example in task.splits.dev]

    assert inputs(3) == inputs(3)
    assert inputs(3) != inputs(4)


def test_a_repeated_input_counts_once() -> None:
    twice = rows(a=50, b=50) + rows(a=10)
    task = Task.from_rows(twice, split=SHARES, answer="label")
    assert [len(task.examples(split)) for split in SHARES] == [20, 30, 50]
    assert any("10 rows repeat" in line for line in task.warnings)


def test_many_different_answers_are_dealt_at_random() -> None:
    numbers = [{"input": f"what is {n}", "target": n} for n in range(90)]
    task = Task.from_rows(numbers, split=SHARES, answer="number")
    assert [len(task.examples(split)) for split in SHARES] == [18, 27, 45]


def test_counts_are_dealt_as_before_unless_asked_for() -> None:
    counts = {"train": 20, "dev": 30, "test": 50}
    plain = Task.from_rows(rows(a=50, b=50), split=counts, answer="label")
    kept = Task.from_rows(rows(a=50, b=50), split=counts, stratify=True, answer="label")
    assert mix(kept, "train") == {"a": 10, "b": 10}
    assert [e.input for e in plain.splits.train] != [e.input for e in kept.splits.train]
    # The rows of a run of an earlier version (seed 0), which goes on.
    assert [e.input for e in plain.splits.train[:4]] == ["b 0", "b 25", "b 47", "b 2"]


def test_shares_of_splits_that_exist_and_of_a_task_that_gpo_brings(tmp_path: Path) -> None:
    parts = {"train": rows(a=20), "dev": rows(b=20), "test": rows(c=20)}
    task = Task.from_rows(parts, split={"dev": 0.5, "test": 0.25}, answer="text")
    assert [len(task.examples(split)) for split in SHARES] == [20, 10, 5]
    config = TaskConfig(data="gpo/tickets", split={"train": 0.1, "dev": 0.2, "test": 0.5})
    builtin = Task.from_config(config, seed=0, base_dir=tmp_path)
    assert [len(builtin.examples(split)) for split in SHARES] == [30, 60, 150]


@pytest.mark.parametrize("size", [0, -3, -0.5, 1.5, float("nan"), float("inf")])
def test_a_size_that_is_none_is_refused(size: float) -> None:
    with pytest.raises(ConfigError, match="a share of the rows between 0 and 1"):
        Task.from_rows(rows(a=9), split={"train": size}, answer="text")
