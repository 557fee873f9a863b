"""What docs/statistics.md shows is what was measured, and what was measured is what the code does."""

from __future__ import annotations

import json
from math import comb
from pathlib import Path
from typing import Any

import pytest
from benchmarks.coverage import binary, outcomes
from benchmarks.coverage_tables import BEGIN, DOCS, END, tables
from benchmarks.results import RESULTS


def newest(kind: str) -> Path:
    return max(RESULTS.glob(f"coverage-{kind}-*.json"))


def cells(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(newest(kind).read_text())["measurements"]
    return found


def test_the_page_shows_the_data() -> None:
    shown = DOCS.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == tables({newest(k).name: json.loads(newest(k).read_text()) for k in ("binary", "graded")})


def test_the_interval_covers_and_better_is_rarely_said_for_nothing() -> None:
    for item in cells("binary"):
        assert item["gpo"]["coverage"] >= 0.94, item
        assert item["gain"] or item["gpo"]["better"] <= 0.025, item
    for item in cells("graded"):
        # 2,000 draws: two standard errors are 1 point of coverage.
        assert item["gpo"]["coverage"] >= 0.94, item
        assert item["gain"] or item["gpo"]["better"] <= 0.025 + 0.007, item


@pytest.mark.parametrize(("rows", "discordance", "gain"), [(10, 0.4, 0.2), (20, 0.2, 0.2), (30, 0.1, 0.0)])
def test_measured_anew_a_cell_is_what_is_kept(rows: int, discordance: float, gain: float) -> None:
    kept = next(
        item
        for item in cells("binary")
        if (item["rows"], item["discordance"], item["gain"]) == (rows, discordance, gain)
    )
    found = binary(rows, discordance, gain)
    for name in ("gpo", "bonett_price", "tango", "bare"):
        assert found[name] == kept[name]


def test_the_chances_of_outcomes_are_trinomial() -> None:
    found = {(gained, lost): chance for gained, lost, chance in outcomes(5, 0.3, 0.1)}
    assert sum(found.values()) == pytest.approx(1)
    # 5!/(2! 1! 2!) · 0.3² · 0.1 · 0.6²
    assert found[2, 1] == pytest.approx(comb(5, 2) * comb(3, 1) * 0.09 * 0.1 * 0.36)
    assert {lost for _, lost, _ in outcomes(5, 0.3, 0.0)} == {0}
