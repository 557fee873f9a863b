"""Values out of data frames, databases and files are what a person sees in the table, and missing ones are named."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from gpo.errors import DataError
from gpo.task.files.cell import read_value
from gpo.task.task import Task

NAN = float("nan")
MISSING = [
    None,
    NAN,
    numpy.float32("nan"),
    numpy.datetime64("NaT"),
    pandas.NA,
    pandas.NaT,
    Decimal("NaN"),
    "",
    " \t",
]


class Queue(enum.Enum):
    BILLING = "billing"


def rows(labels: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"text": f"ticket {n}", "label": label} for n, label in enumerate(labels)]


def task(labels: Sequence[Any], **options: Any) -> Task:
    return Task.from_rows(
        rows(labels), input="text", target="label", **{"answer": {"kind": "label"}, **options}
    )


def labels(made: Task) -> tuple[str, ...]:
    return made.answer_choices


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_a_missing_target_is_named_with_its_row(value: Any) -> None:
    with pytest.raises(
        DataError, match=r"rows row 24: the target is empty .*; fill it in, or take the row out"
    ):
        task(["a", "b"] * 11 + ["a", value])
    with pytest.raises(DataError, match="rows row 24: the target is empty"):
        task([["a", "b"]] * 23 + [["a", value]], answer="text")


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_a_missing_input_is_named_and_is_no_text_in_a_template(value: Any) -> None:
    data = [{"text": f"ticket {n}", "more": "x", "label": "ab"[n % 2]} for n in range(23)]
    data.append({"text": value, "more": "only this", "label": "a"})
    with pytest.raises(DataError, match="rows row 24: the input is empty"):
        Task.from_rows(data, input="text", target="label")
    made = Task.from_rows(data, input="{text}\n{more}", target="label")
    parts = (made.splits.train, made.splits.dev, made.splits.test)
    (example,) = [one for part in parts for one in part if "only this" in one.input]
    assert example.input.strip() == "only this"


@pytest.mark.parametrize(
    "column",
    [
        [0.0, 1.0, 2.0],
        [0, 1, 2],
        list(numpy.array([0.0, 1.0, 2.0])),
        list(numpy.array([0, 1, 2], dtype="uint8")),
        list(numpy.array([0, 1, 2], dtype="float16")),
        [Decimal("0"), Decimal("1.0"), Decimal("2.00")],
        ["0", 1.0, numpy.int64(2)],
        ["0.0", "1.0", "2.0"],
        ["0", "1.0", "2.0"],
    ],
    ids=repr,
)
def test_whole_labels_have_no_decimal_point(column: list[Any]) -> None:
    made = task(column * 8)
    assert labels(made) == ("0", "1", "2")
    example = next(one for one in made.splits.dev if float(str(one.target)) == 1)
    assert made.target_text(example) == "1"
    for reply in ("1", "Label: 1", "The class is 1."):
        assert made.score(reply, example) == 1.0
    assert made.score("2", example) == 0.0


def test_labels_that_are_not_all_whole_stay_as_they_are() -> None:
    assert labels(task(["1.0", "1.5"] * 12)) == ("1.0", "1.5")
    assert labels(task(["1.0", "beta"] * 12)) == ("1.0", "beta")
    assert labels(task(["1.0", "2.0"] * 12, answer={"kind": "label", "labels": ["1.0", "2.0"]})) == (
        "1.0",
        "2.0",
    )
    floats = task([1.0, 2.0] * 12, answer={"kind": "label", "labels": ["1.0", "2.0"]})
    assert {one.target for one in floats.splits.dev} == {"1.0", "2.0"}
    listed = task(["1.0", "2.0"] * 12, answer={"kind": "label", "labels": ["1", "2", "3"]})
    assert {one.target for one in listed.splits.dev} == {"1", "2"}
    assert task(["1.0", "2.0"] * 12, answer="text").splits.dev[0].target in ("1.0", "2.0")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (numpy.bool_(True), True),
        (7, 7),
        (2.5, 2.5),
        (numpy.float32(0.1), 0.1),
        (1e20, 1e20),
        (float("inf"), float("inf")),
        (Decimal("2.50"), "2.50"),
        (Decimal("1E+2"), 100),
        (numpy.str_("x"), "x"),
        (Queue.BILLING, "billing"),
        (b"text", "text"),
        (numpy.array([1.0, NAN]), [1, None]),
        (pandas.Series(["a", pandas.NA]), ["a", None]),
        ({"a": [2.0, NAN]}, {"a": [2, None]}),
        (pandas.Timestamp("2024-05-01 10:00"), pandas.Timestamp("2024-05-01 10:00")),
    ],
    ids=repr,
)
def test_a_value_is_what_a_person_sees(value: Any, expected: Any) -> None:
    found = read_value(value)
    assert found == expected
    assert type(found) is type(expected)


def test_rows_of_a_data_frame() -> None:
    frame: Any = pandas.DataFrame(rows([0, 1, 2] * 8)).astype({"label": "float64"})
    made = Task.from_rows(frame.to_dict("records"), input="text", target="label", answer="label")
    assert labels(made) == ("0", "1", "2")
    whole = Task.from_rows(frame, input="text", target="label", answer="label")
    assert whole.splits == made.splits
    frame.loc[4, "label"] = NAN
    with pytest.raises(DataError, match="rows row 5: the target is empty"):
        Task.from_rows(frame, input="text", target="label", answer="label")


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_what_pandas_writes_is_named_with_file_and_line(form: str, tmp_path: Path) -> None:
    frame: Any = pandas.DataFrame(rows([0, 1, 2] * 8)).astype({"label": "float64"})
    path = tmp_path / f"t.{form}"
    writers: dict[str, Callable[[], Any]] = {
        "csv": lambda: frame.to_csv(path, index=False),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        "json": lambda: frame.to_json(path, orient="records"),
        "parquet": lambda: frame.to_parquet(path),
    }
    write = writers[form]
    write()
    made = Task.from_csv(path, input="text", target="label", answer="label")
    assert labels(made) == ("0", "1", "2")
    frame.loc[4, "label"] = NAN
    write()
    place = {"csv": "t.csv:6", "jsonl": "t.jsonl:5", "json": "t.json: row 5", "parquet": "t.parquet: row 5"}[
        form
    ]
    with pytest.raises(DataError, match=f"{place}: the target is empty"):
        Task.from_csv(path, input="text", target="label", answer="label")


def test_nan_in_json_and_as_the_text_of_a_label(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(["a", "b"] * 12 + [NAN])))
    with pytest.raises(DataError, match=r"t\.jsonl:25: the target is empty"):
        Task.from_jsonl(path, input="text", target="label", answer="label")
    for text in ("nan", "NaN", "<NA>"):
        with pytest.raises(DataError, match=r'row 25: the target ".*" is how a missing value is written'):
            task(["a", "b"] * 12 + [text])
    assert labels(task(["a", "nan"] * 12, answer={"kind": "label", "labels": ["a", "nan"]})) == ("a", "nan")


def test_a_text_that_may_mean_nothing_is_a_warning() -> None:
    made = task(["a", "None", "b"] * 12)
    assert labels(made) == ("None", "a", "b")
    (warning,) = made.warnings[1:] if "dev split" in made.warnings[0] else made.warnings
    assert 'the target "None" may stand for a missing value (in 12 rows)' in warning
    assert len(task(["a", "None"] * 24, answer={"kind": "label", "labels": ["a", "None"]}).warnings) == 0
