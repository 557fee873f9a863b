"""JSON of a run folder, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from gpo.errors import RunError
from gpo.storage.typed import Record, build


@pytest.mark.parametrize(("value", "found"), [(None, None), (0, 0), (7, 7), (2**62, 2**62)])
def test_a_count_is_a_whole_number_from_0(value: int | None, found: int | None) -> None:
    assert Record("result.json", "usage", {"calls": value}).count("calls") == found


@pytest.mark.parametrize("value", [-1, 2**62 + 1, 1.5, True, "3"])
def test_what_is_no_count_is_refused_with_its_place(value: Any) -> None:
    with pytest.raises(RunError, match=r"result\.json: is damaged \(usage\.calls must be a "):
        Record("result.json", "usage", {"calls": value}).count("calls")


@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_a_share_is_from_0_to_1(value: float) -> None:
    assert [Record("", "", {"score": end}).share("score") for end in (0, 1)] == [0, 1]
    with pytest.raises(RunError, match="must be a number from 0 to 1"):
        Record("", "", {"score": value}).share("score")


@dataclass
class Made:
    """As records are: its annotations are texts."""

    score: float | None = None
    name: str = ""
    sure: bool = False
    rows: int = 0


def test_a_dataclass_is_built_of_fields_of_its_types() -> None:
    told = {"score": None, "name": "a", "sure": True, "rows": 3}
    assert build(Made, Record("f", "", told)) == Made(None, "a", True, 3)
    assert build(Made, Record("f", "", {"score": 1})) == Made(1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("score", "1"), ("name", 1), ("name", None), ("sure", 1), ("rows", 1.5), ("rows", True), ("other", 1)],
)
@pytest.mark.parametrize("before", [{}, {"score": None}, {"name": "a"}, {"sure": True}, {"rows": 1}])
def test_one_field_of_another_type_is_refused_whatever_stands_before_it(
    before: dict[str, Any], name: str, value: Any
) -> None:
    told = {key: item for key, item in before.items() if key != name} | {name: value}
    with pytest.raises(RunError, match=f"is damaged \\({name} "):
        build(Made, Record("f", "", told))
