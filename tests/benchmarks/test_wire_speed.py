"""The benchmark's own books: what counts as a fair measurement, what is resumed, what the table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks.comparison import Job, summary
from benchmarks.contender import measure as measure_here
from benchmarks.results import Session
from benchmarks.wire_speed import fault, serving

JOB = Job("gpo", 8, 40, 1)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with serving(0.01) as url:
        return measure_here("gpo", url, JOB.calls, JOB.concurrency, tmp_path_factory.mktemp("scratch"))


def test_the_engine_asks_every_question_once_and_never_too_many_at_a_time(found: dict[str, Any]) -> None:
    assert fault(JOB, found) is None
    assert found["server"]["calls"] == 40
    assert 1 < found["server"]["peak"] <= 8
    assert found["seconds"] > 0.01 * 40 / 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"calls": 41}, "41 calls arrived"),
        ({"distinct": 39}, "39 different"),
        ({"peak": 9}, "9 calls were under way"),
        ({"digest": "0"}, "other messages"),
    ],
)
def test_an_unfair_measurement_does_not_count(
    found: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    reason = fault(JOB, {**found, "server": {**found["server"], **change}})
    assert reason is not None
    assert words in reason


def test_a_wrong_score_does_not_count(found: dict[str, Any]) -> None:
    assert "0.4" in str(fault(JOB, {**found, "mean": 0.4}))


def test_an_unfinished_session_goes_on_unless_the_settings_differ(tmp_path: Path) -> None:
    Session("speed", {"calls": 1}, folder=tmp_path).add({"contender": "gpo", "round": 0})
    with (tmp_path / "speed.partial.jsonl").open("a") as file:
        file.write('{"contender": "dspy", "rou')  # a kill in the middle of a line
    again = Session("speed", {"calls": 1}, folder=tmp_path)
    assert again.known(contender="gpo", round=0)
    assert not again.known(contender="dspy")
    assert not Session("speed", {"calls": 2}, folder=tmp_path).measurements


def test_medians_and_ratios() -> None:
    jobs = [Job("gpo", 64, 640, 3), Job("dspy", 64, 640, 3)]

    def one(name: str, seconds: float, error: str | None = None) -> dict[str, Any]:
        return {"contender": name, "concurrency": 64, "seconds": seconds, "cpu_seconds": 0.64, "fault": error}

    rows = summary(
        jobs,
        [
            one("gpo", 0.6),
            one("gpo", 0.5),
            one("gpo", 9.0),
            one("dspy", 1.2),
            one("dspy", 7.0, "lost a call"),
        ],
    )
    assert rows[0]["over_ideal"] == pytest.approx(1.2)  # 0.6 s over 640 × 0.05 / 64 = 0.5 s
    assert rows[0]["cpu_ms_per_call"] == pytest.approx(1.0)
    assert rows[1]["gpo_times"] == pytest.approx(2.0)
    assert (rows[1]["rounds"], rows[1]["faults"]) == (1, ["lost a call"])
