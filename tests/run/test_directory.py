"""The run directory: who may use it, what it refuses, and that nothing half-made stays."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import tempfile
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import RunError
from gpo.model.model import Reply
from gpo.result.result import Improvement, Result, RoleUsage, RunUsage, Scores, SplitScores
from gpo.run.directory import RunDirectory
from gpo.run.identity.config_diff import changed_keys
from gpo.storage.atomic_write import write_atomically
from gpo.storage.journal import Journal
from gpo.storage.lock import RunLock
from tests.support import forked

from .support import ask, unprivileged

CONFIG: dict[str, Any] = {
    "prompt": "Let's think step by step.",
    "seed": 0,
    "method": "gpo",
    "models": {"task": {"model": "m", "concurrency": 64, "timeout": 1.0, "api_key_env": None, "price": None}},
    "budget": {"max_calls": None},
    "task": {"answer": {"labels": ["a", "b"]}},
}

RESULT = Result(
    status="complete",
    initial_prompt="Think.",
    best_prompt="Think \x00 twice.\n\ud800 ✓",
    scores=Scores(initial=SplitScores(dev=0.25, test=0.5), best=SplitScores(dev=0.75, test=0.625)),
    improvement=Improvement(
        test=0.125, ci_low=-0.1, ci_high=0.35, p_value=0.25, verdict="not shown", rows=40, detectable=0.15
    ),
    steps=({"step": 0, "best": 0.5},),
    usage=RunUsage(
        task=RoleUsage(calls=10, cached=2, prompt_tokens=100, completion_tokens=20, usd=0.01),
        optimizer=RoleUsage(calls=1),
    ),
    seconds=1.5,
    seed=3,
    versions={"gpo": "0.1.0"},
    extra={"embedder": "bge"},
)


def changed(**keys: Any) -> dict[str, Any]:
    return {**CONFIG, **keys}


def answer(journal: Journal) -> None:
    """One recorded answer: only from here on there is something to lose."""
    reply = Reply(texts=("yes",))
    asyncio.run(journal.put_call("task", ask("Is it?"), reply, key="0" * 32, started=1.0))


def test_a_start_without_an_answer_does_not_block_another_configuration(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    with run:
        run.open(CONFIG, "old")
    with run:
        run.open(changed(seed=1), "new")
    assert run.check(changed(seed=1)) == "fresh"
    with run:
        answer(run.open(changed(seed=1), "new"))
    assert run.check(changed(seed=1)) == "started"
    with pytest.raises(RunError, match="seed"):
        run.check(CONFIG)
    assert run.config_path.read_text() == "new"


def test_a_run_begins_is_continued_and_ends(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "runs" / "one")
    assert run.check(CONFIG) == "fresh"
    assert not run.path.exists()
    with run:
        journal = run.open(CONFIG, "seed: 0\n")
        journal.put_step(0, {})
        answer(journal)
    assert run.check(CONFIG) == "started"
    with run:
        assert run.open(CONFIG, "seed: 0\n").steps() == {0: {}}
        run.write_result(RESULT)
    assert run.check(CONFIG) == "complete"
    assert run.read_result() == RESULT
    names = {entry.name for entry in run.path.iterdir()}
    assert names == {".lock", "config.yaml", "journal.sqlite", "result.json", "best_prompt.txt"}
    assert run.config_path.read_text() == "seed: 0\n"
    with run:  # a stopped one is not complete
        run.open(CONFIG, "seed: 0\n")
        run.write_result(Result(status="budget", initial_prompt="a", best_prompt="b ✓"))
    assert run.check(CONFIG) == "started"
    assert run.best_prompt_path.read_text(encoding="utf-8") == "b ✓"


def test_another_configuration_is_refused_by_the_keys_that_differ(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    with run:
        answer(run.open(CONFIG, ""))
    with pytest.raises(RunError) as caught:
        run.open(changed(seed=1, prompt="x" * 100), "")
    line = str(caught.value)
    assert "prompt, seed (was 0, now 1)" in line
    assert "x" * 50 not in line
    assert "\n" not in line
    model = {
        **CONFIG["models"]["task"],
        "concurrency": 1,
        "timeout": 9,
        "api_key_env": "K",
        "price": {"input": 1},
    }
    harmless = changed(models={"task": model}, budget={"max_calls": 5})
    with run:
        run.open(harmless, "new text")
    assert run.config_path.read_text() == "new text"


def test_keys_that_differ_are_found_wherever_they_are() -> None:
    assert changed_keys(CONFIG, CONFIG) == []
    assert changed_keys(CONFIG, {**CONFIG, "task": {"answer": {"labels": ("a", "b")}}}) == []
    assert changed_keys(CONFIG, changed(method={"direction": "prompt"})) == [
        'method (was "gpo", now {"direction": "prompt"})'
    ]
    assert changed_keys({"a": {"b": 1}}, {"a": {}}) == ["a.b (was 1, now absent)"]
    assert changed_keys({"models": {"task": {"model": "a"}}}, {"models": {"task": {"model": "b"}}}) == [
        'models.task.model (was "a", now "b")'
    ]
    assert changed_keys({"a": "\x1b"}, {"a": ""}) == ['a (was "\\u001b", now "")']


@pytest.mark.parametrize("name", ["config.yaml", "thesis.tex", "result.json", ".hidden"])
def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(RunError, match="is not a run directory and not empty"):
        RunDirectory(tmp_path).open(CONFIG, "")
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_an_empty_folder_and_a_start_that_was_killed_are_fresh(tmp_path: Path) -> None:
    assert RunDirectory(tmp_path).check(CONFIG) == "fresh"
    (tmp_path / ".lock").write_text("1\n")
    (tmp_path / "config.yaml").write_text("left over")
    (tmp_path / ".config.yaml.1.tmp").write_text("half")
    assert RunDirectory(tmp_path).check(CONFIG) == "fresh"
    (tmp_path / "journal.sqlite").write_bytes(b"")
    run = RunDirectory(tmp_path)
    with run:
        answer(run.open(CONFIG, "whole"))
    assert run.check(changed(budget={})) == "started"
    assert run.config_path.read_text() == "whole"


def test_a_file_or_an_unusable_path_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for path in (file, file / "below", tmp_path / ("n" * 300), tmp_path / "nul\x00"):
        with pytest.raises(RunError) as caught:
            RunDirectory(path).open(CONFIG, "")
        assert "choose another run directory" in str(caught.value)


def test_a_folder_that_cannot_be_written_is_one_line() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with unprivileged():
            for path in (folder, folder / "run"):
                with pytest.raises(RunError, match="choose another run directory"):
                    RunDirectory(path).open(CONFIG, "")
        assert list(folder.iterdir()) == []


def test_a_start_that_fails_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(path: Path) -> None:
        raise RunError("the disk is full")

    run = RunDirectory(tmp_path / "run")
    monkeypatch.setattr("gpo.run.directory.Journal", no_space)
    with pytest.raises(RunError, match="full"):
        run.open(CONFIG, "")
    assert not run.path.exists()


def test_a_damaged_journal_or_result_is_one_line(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    with run:
        answer(run.open(CONFIG, ""))
    run.result_path.write_text('{"status": "comp')
    with pytest.raises(RunError, match=r"result\.json: is damaged"):
        run.check(CONFIG)
    run.result_path.unlink()
    run.journal_path.write_bytes(os.urandom(5000))
    with pytest.raises(RunError, match=r"journal\.sqlite: the journal is damaged"):
        run.open(CONFIG, "")


# Two processes

HOLDER = textwrap.dedent(
    """
    import json, sys, time
    from pathlib import Path
    from gpo.run.directory import RunDirectory
    RunDirectory(Path(sys.argv[1])).open(json.loads(sys.argv[2]), "")
    print("held", flush=True)
    time.sleep(60)
    """
)


def test_a_second_process_is_told_who_works_there_until_that_one_dies(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with forked.start(HOLDER, path, json.dumps(CONFIG)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=f"process {child.pid} is working on this run"):
            RunDirectory(path).open(CONFIG, "")
        child.send_signal(signal.SIGKILL)
        child.wait()
    with RunDirectory(path) as run:
        run.open(CONFIG, "")
        with pytest.raises(RunError, match="this very process"):
            RunDirectory(path).open(CONFIG, "")


def test_a_lock_can_be_taken_again_once_released(tmp_path: Path) -> None:
    for _ in range(2):
        with RunLock(tmp_path / "lock") as lock, pytest.raises(RunError):
            RunLock(tmp_path / "lock")
        lock.release()


# Files and the result


def test_a_killed_write_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    code = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from gpo.storage.atomic_write import write_atomically
        print("go", flush=True)
        while True:
            for byte in (b"a", b"b"):
                write_atomically(Path(sys.argv[1]), byte * 1_000_000)
        """
    )
    write_atomically(path, b"a" * 1_000_000)
    for _ in range(5):
        with forked.start(code, path) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "go\n"
            child.kill()
        content = path.read_bytes()
        assert len(content) == 1_000_000
        assert len(set(content)) == 1


def test_a_write_that_fails_is_one_line_and_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.mkdir()
    with pytest.raises(RunError, match="cannot be written"):
        write_atomically(target, b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_the_result_has_the_contract_s_keys(tmp_path: Path) -> None:
    data = json.loads(RESULT.to_json())
    assert list(data) == [
        "status",
        "initial_prompt",
        "best_prompt",
        "scores",
        "improvement",
        "steps",
        "usage",
        "seconds",
        "seed",
        "versions",
        "embedder",
    ]
    assert data["scores"] == {"initial": {"dev": 0.25, "test": 0.5}, "best": {"dev": 0.75, "test": 0.625}}
    assert data["improvement"] == {
        "test": 0.125,
        "ci_low": -0.1,
        "ci_high": 0.35,
        "p_value": 0.25,
        "verdict": "not shown",
        "rows": 40,
        "detectable": 0.15,
    }
    assert data["usage"]["task"] == {
        "calls": 10,
        "cached": 2,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "usd": 0.01,
        "reasoning_tokens": 0,
    }
    assert data["usage"]["optimizer"]["usd"] is None
    assert Result.from_dict(data) == RESULT


def test_numbers_that_json_cannot_hold_are_unknown() -> None:
    result = Result(
        status="budget",
        initial_prompt="",
        best_prompt="",
        improvement=Improvement(p_value=math.nan),
        steps=({"score": math.inf},),
    )
    data = json.loads(result.to_json())
    assert data["improvement"]["p_value"] is None
    assert data["steps"] == [{"score": None}]


def test_an_extra_key_cannot_replace_one_of_the_contract() -> None:
    with pytest.raises(ValueError, match="seed"):
        Result(status="complete", initial_prompt="", best_prompt="", extra={"seed": 1}).to_dict()


@pytest.mark.parametrize("text", ["[]", "{}", "nonsense", '{"status": 1}', "[" * 100_000])
def test_what_is_no_result_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(RunError) as caught:
        Result.read(path)
    assert str(path) in str(caught.value)


def test_of_many_keys_that_differ_eight_are_named(tmp_path: Path) -> None:
    many = {f"key{number}": 0 for number in range(10)}
    run = RunDirectory(tmp_path / "run")
    with run:
        answer(run.open({**CONFIG, **many}, ""))
    with pytest.raises(RunError) as caught:
        run.check({**CONFIG, **dict.fromkeys(many, 1)})
    assert str(caught.value).count("(was 0, now 1)") == 8
    assert "and 2 more; restore that" in str(caught.value)


def test_the_template_of_the_best_prompt_is_plain_ascii_and_whole(tmp_path: Path) -> None:
    template = {"text": "Denk nach \u00e4 \ud800 \u2713"}
    run = RunDirectory(tmp_path / "run")
    with run:
        run.open(CONFIG, "")
        run.write_result(replace(RESULT, extra={"template": template}))
    written = run.best_template_path.read_bytes()
    assert written.isascii()
    assert json.loads(written) == template
