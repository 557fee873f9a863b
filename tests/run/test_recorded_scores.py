"""Taking over recorded scores: a run that goes on comes to the same as one that asks its journal call by call."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gpo.evaluation.rounds import Rounds
from gpo.run.replay import recorded_scores
from tests.report.support import run_sums


def changed(folder: Path, query: str, *values: object) -> None:
    connection = sqlite3.connect(folder / "journal.sqlite")
    with connection:
        connection.execute(query, values)
    connection.close()


def told(folder: Path) -> dict[str, Any]:
    result = json.loads((folder / "result.json").read_text())
    return {key: value for key, value in result.items() if key not in ("seconds", "limits", "versions")}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts of pairs that were asked one by one."""
    prompts: list[str] = []
    outcome = Rounds.outcome

    async def noted(self: Rounds, prompt: str, *rest: Any) -> Any:
        prompts.append(prompt)
        return await outcome(self, prompt, *rest)

    monkeypatch.setattr(Rounds, "outcome", noted)
    return prompts


def test_a_run_that_goes_on_takes_its_scores_and_comes_to_the_same(tmp_path: Path, asked: list[str]) -> None:
    run_sums(tmp_path / "run")
    whole, pairs = told(tmp_path / "run"), len(asked)
    assert pairs > 60
    (tmp_path / "run" / "result.json").unlink()
    asked.clear()
    run_sums(tmp_path / "run")
    assert told(tmp_path / "run") == whole
    taken = len(asked)
    # Call by call: another GPO, or an older one, made the scores.
    changed(tmp_path / "run", "DELETE FROM meta WHERE key = 'scored_by'")
    for _ in range(2):
        (tmp_path / "run" / "result.json").unlink()
        asked.clear()
        run_sums(tmp_path / "run")
        assert told(tmp_path / "run") == whole
        assert len(asked) == pairs
    assert taken < pairs / 4


def test_a_part_of_the_scores_is_taken_and_the_rest_asked(tmp_path: Path, asked: list[str]) -> None:
    run_sums(tmp_path / "run")
    whole = told(tmp_path / "run")
    changed(tmp_path / "run", "DELETE FROM scores WHERE example_id LIKE '%3'")
    (tmp_path / "run" / "result.json").unlink()
    run_sums(tmp_path / "run")
    assert told(tmp_path / "run") == whole


def test_scores_that_other_code_read_are_not_taken(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sums(tmp_path / "run")
    pairs = len(asked)
    changed(tmp_path / "run", "UPDATE scores SET value = 1.0, checksum = NULL")
    whole = told(tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    asked.clear()
    monkeypatch.setattr(recorded_scores, "_stamp", lambda identity: "another")
    run_sums(tmp_path / "run")
    assert len(asked) == pairs
    assert told(tmp_path / "run") == whole


def test_scores_of_replies_that_were_cut_are_read_again(tmp_path: Path, asked: list[str]) -> None:
    run_sums(tmp_path / "run")
    whole, pairs = told(tmp_path / "run"), len(asked)
    # Two is the mark of a reply that ended at its length, whether an answer was read from it or not.
    changed(tmp_path / "run", "UPDATE scores SET unreadable = unreadable | 2, checksum = NULL")
    (tmp_path / "run" / "result.json").unlink()
    asked.clear()
    run_sums(tmp_path / "run")
    assert len(asked) == pairs
    assert told(tmp_path / "run") == whole
