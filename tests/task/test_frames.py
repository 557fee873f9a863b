"""Data frames of the real packages as rows; one that is not installed skips its part."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import gpo
from gpo.errors import DataError

ROWS = [{"text": f"message {number}", "queue": "ab"[number % 2], "size": number} for number in range(12)]
SPLIT = {"train": 4, "dev": 4, "test": 4}


def pandas(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pandas").DataFrame(rows)


def polars(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("polars").DataFrame(rows)


def lazy(rows: list[dict[str, Any]]) -> Any:
    return polars(rows).lazy()


def arrow(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(rows)


def batch(rows: list[dict[str, Any]]) -> Any:
    return arrow(rows).to_batches()[0]


def dataset(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("datasets").Dataset.from_list(rows)


def generator(rows: list[dict[str, Any]]) -> Any:
    return (row for row in rows)


KINDS = [pandas, polars, lazy, arrow, batch, dataset, generator]


@pytest.mark.parametrize("make", KINDS)
def test_every_frame_gives_the_task_of_its_rows(make: Callable[[Any], Any]) -> None:
    options: dict[str, Any] = {
        "input": "{text} ({size})",
        "target": "queue",
        "answer": "label",
        "split": SPLIT,
    }
    expected = gpo.Task.from_rows(ROWS, **options)
    for found in (gpo.Task.from_frame(make(ROWS), **options), gpo.Task.from_rows(make(ROWS), **options)):
        assert found.splits == expected.splits
        assert found.answer_choices == ("a", "b")


@pytest.mark.parametrize("make", KINDS)
def test_splits_can_be_frames(make: Callable[[Any], Any]) -> None:
    parts = {"train": make(ROWS[:4]), "validation": make(ROWS[4:8]), "test": make(ROWS[8:])}
    task = gpo.Task.from_frame(parts, input="text", target="queue")
    assert [example.input for example in task.splits.dev] == [f"message {number}" for number in range(4, 8)]


@pytest.mark.parametrize("make", [pandas, polars, arrow])
def test_a_missing_target_is_an_error_that_names_the_row(make: Callable[[Any], Any]) -> None:
    rows = [dict(row) for row in ROWS]
    rows[2]["queue"] = None
    with pytest.raises(DataError, match="rows row 3"):
        gpo.Task.from_frame(make(rows), input="text", target="queue")


def test_the_classes_of_a_dataset_count_by_their_names() -> None:
    datasets = pytest.importorskip("datasets")
    rows = [{"text": row["text"], "queue": number % 2} for number, row in enumerate(ROWS)]
    features = datasets.Features(
        {"text": datasets.Value("string"), "queue": datasets.ClassLabel(names=["refund", "delivery"])}
    )
    parts = datasets.DatasetDict(
        {
            "train": datasets.Dataset.from_list(rows[:4], features=features),
            "validation": datasets.Dataset.from_list(rows[4:8], features=features),
            "test": datasets.Dataset.from_list(rows[8:], features=features),
        }
    )
    task = gpo.Task.from_frame(parts, input="text", target="queue", answer="label")
    assert set(task.answer_choices) == {"refund", "delivery"}


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pytest.importorskip("pandas").DataFrame([["x", "y", "z"]], columns=["text", "queue", "text"])
    with pytest.raises(DataError, match="rows: has two columns called 'text'"):
        gpo.Task.from_frame(frame, input="text", target="queue")


@pytest.mark.parametrize("what", ["tickets.csv", {"a": 1}, 3])
def test_what_has_no_rows_is_said_to_have_none(what: Any) -> None:
    with pytest.raises(gpo.ConfigError):
        gpo.Task.from_frame(what)
    with pytest.raises(DataError, match="train: "):
        gpo.Task.from_frame({"train": what})


def test_a_column_alone_is_no_table() -> None:
    column = pandas(ROWS)["text"]
    with pytest.raises(DataError, match="rows: Series has no rows"):
        gpo.Task.from_frame(column)


def test_gpo_imports_none_of_them() -> None:
    code = (
        "import sys, gpo; gpo.Task.from_rows([{'input': str(n), 'target': 'a'} for n in range(9)]); "
        "print({'pandas', 'polars', 'pyarrow', 'datasets'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
