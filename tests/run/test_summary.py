"""What a run says of itself at its end, beyond the contract's keys."""

from __future__ import annotations

import json
from importlib import metadata
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from gpo.errors import BudgetError
from gpo.run import summary
from tests.reliability.support import landscape_server, run


async def test_the_gap_between_dev_and_test_is_that_of_the_best_prompt(tmp_path: Path) -> None:
    with landscape_server() as server:
        result = await run(server, tmp_path)
    dev, test = result.scores.best.dev, result.scores.best.test
    assert dev is not None
    assert test is not None
    assert result.extra["optimism"] == pytest.approx(dev - test)


async def test_without_a_test_there_is_no_gap(tmp_path: Path) -> None:
    with landscape_server() as server, pytest.raises(BudgetError):
        await run(server, tmp_path, budget={"max_calls": 12})
    saved = json.loads((tmp_path / "run" / "result.json").read_text())
    assert saved["scores"]["best"]["dev"] is not None
    assert saved["optimism"] is None


async def test_a_run_that_scored_nothing_keeps_its_initial_prompt(tmp_path: Path) -> None:
    with landscape_server() as server, pytest.raises(BudgetError):
        await run(server, tmp_path, budget={"max_calls": 2})
    saved = json.loads((tmp_path / "run" / "result.json").read_text())
    assert saved["best_prompt"] == saved["initial_prompt"]
    assert (saved["scores"]["best"]["dev"], saved["unreadable_dev_replies_of_best"]) == (None, None)


def test_a_package_that_is_not_there_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> str:
        if name == "xllamacpp":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", found)
    assert sorted(summary.versions()) == ["aiohttp", "gpo", "httptools", "numpy", "python"]
