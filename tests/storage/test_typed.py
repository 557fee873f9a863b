"""JSON of a run folder, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from gpo.errors import RunError
from gpo.storage.typed import Record


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
