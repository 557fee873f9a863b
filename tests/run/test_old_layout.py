"""A run that GPO 0.1.0 left half-finished goes on as that version would have gone on; a new run has the new layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpo.errors import RunError
from gpo.run.directory import RunDirectory
from tests.run import old_layout


@pytest.mark.parametrize("name", old_layout.RUNS)
def test_a_half_finished_run_of_the_old_version_goes_on_and_pays_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    old_layout.write_rows()
    whole = old_layout.unpack(name, Path("run"))
    known = old_layout.calls(Path("run"))
    assert 0 < len(known) < len(whole["calls"])
    old_layout.asked.clear()
    result = old_layout.go_on(name, "run")
    made = set(old_layout.calls(Path("run")))
    # The old version wrote the completions of a function that gives one at a time into one record; now each is a call.
    assert set(known) < set(whole["calls"]) <= made
    assert len(old_layout.asked) == len(made - set(known))
    assert (result.status, result.best_prompt) == ("complete", whole["best_prompt"])
    assert result.scores.best.dev == whole["dev"]
    assert [dict(step) for step in result.steps] == whole["steps"]
    assert "layout: 1\n" in Path("run/config.yaml").read_text()
    frame = "Q: {input}\n" + result.best_prompt + "\nA:"
    assert result.extra["template"]["messages"] == [{"role": "user", "content": frame}]


def test_a_complete_run_of_the_old_version_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    old_layout.write_rows()
    old_layout.unpack("paper", Path("run"))
    first = old_layout.go_on("paper", "run")
    old_layout.asked.clear()
    assert old_layout.go_on("paper", "run").best_prompt == first.best_prompt
    assert old_layout.asked == []


def test_a_new_run_has_the_new_layout_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old_layout.write_rows()
    result = old_layout.go_on("recency", "new", optimize={"epochs": 1, "candidates": 2})
    assert "layout: 2\n" in Path("new/config.yaml").read_text()
    assert RunDirectory(Path("new")).layout() == 2
    assert result.extra["template"]["messages"][0]["content"] == f"{{input}}\n{result.best_prompt}"


def test_a_layout_that_is_asked_for_by_name_is_not_changed_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    old_layout.write_rows()
    old_layout.unpack("paper", Path("run"))
    with pytest.raises(RunError, match=r"differs in layout \(was 1, now 2\)"):
        old_layout.go_on("paper", "run", layout=2)
