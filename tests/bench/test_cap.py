"""Budgets of a suite: an equal one ends every search between two steps, whatever a store answers; a hard one still
leads to a sealed test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpo.bench.outcome import read_outcome
from gpo.run.directory import RunDirectory
from tests.bench.suites import bench, write_suite
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

ONE = [{"data": "one", "answer": {"kind": "label", "labels": ["left", "right"]}}]
LONG = {"prompt": "amber anchor", "optimize": {"epochs": 5, "batch_size": 3, "candidates": 3, "resamples": 0}}


@pytest.fixture
def land(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """The server with the landscape's answers, and a store of calls of the test's own."""
    server.answer = Landscape().answer
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    return server


def searched(table_dir: Path, name: str) -> tuple[int, int, int]:
    """Calls of the search, steps, and test rows of the one run whose folder holds `name`."""
    (run_dir,) = [path.name for path in table_dir.glob(f"*-{name}-*")]
    found = read_outcome(run_dir, table_dir)
    assert found is not None
    return found.calls, len(found.steps) - 1, len(found.rows)


def test_an_equal_budget_ends_between_steps_and_opens_the_test(tmp_path: Path, land: ModelServer) -> None:
    sections: dict[str, Any] = {"tasks": ONE, "methods": ["cot", "ape"], "seeds": [0], "base": LONG}
    whole, out = tmp_path / "whole", tmp_path / "out"
    bench(write_suite(tmp_path, land.base_url, **sections), whole)
    calls, steps, _ = searched(whole, "ape")
    assert steps == 10

    suite = write_suite(tmp_path, land.base_url, **sections, budget={"equal": True, "max_calls": calls // 2})
    table, results = bench(suite, out)
    fewer, done, tested = searched(out, "ape")
    assert 0 < done < steps
    # Less than the cap by less than a step: 3 candidates on 8 rows and a call for them.
    assert calls // 2 - 25 <= fewer <= calls // 2
    assert tested == 10
    assert [result.status for result in results] == ["complete", "complete"]
    assert table.entry("ape", ("one",)).mean is not None


def test_where_an_equal_budget_ends_does_not_hang_on_what_the_store_knows(
    tmp_path: Path, land: ModelServer
) -> None:
    sections: dict[str, Any] = {"tasks": ONE, "methods": ["ape"], "seeds": [0], "base": LONG}
    suite = write_suite(tmp_path, land.base_url, **sections, budget={"equal": True, "max_tokens": 1500})
    bench(suite, tmp_path / "alone")
    bench(suite, tmp_path / "shared")  # every deterministic answer is in the store now
    results = [RunDirectory(path.parent).read_result() for path in tmp_path.glob("*/*/result.json")]
    assert len(results) == 2
    first, second = results
    assert first is not None
    assert second is not None
    assert {first.usage.task.calls == 0, second.usage.task.calls == 0} == {True, False}
    assert [step["best_dev"] for step in first.steps] == [step["best_dev"] for step in second.steps]
    assert first.best_prompt == second.best_prompt
    assert 0 < len(first.steps) < 10


def test_a_hard_budget_counts_as_finished_with_its_test_opened_and_goes_on_when_raised(
    tmp_path: Path, land: ModelServer
) -> None:
    sections: dict[str, Any] = {"tasks": ONE, "methods": ["ape"], "seeds": [0], "base": LONG}
    suite = write_suite(tmp_path, land.base_url, **sections, budget={"max_calls": 100})
    table, results = bench(suite, tmp_path / "out")
    assert [result.status for result in results] == ["budget"]
    _, steps, tested = searched(tmp_path / "out", "ape")
    assert (steps < 10, tested) == (True, 10)
    assert table.entry("ape", ("one",)).gain is not None

    asked = land.stats.calls
    again, results = bench(suite, tmp_path / "out")
    assert (results, land.stats.calls) == ([], asked)
    assert again == table

    write_suite(tmp_path, land.base_url, **sections)
    _, results = bench(suite, tmp_path / "out")
    assert [result.status for result in results] == ["complete"]
    assert searched(tmp_path / "out", "ape")[1] == 10
    # What the stopped run and its test had paid for was not asked again.
    assert land.stats.repeated == 0
