"""Replies that broke off or cannot be read are said, not scored in silence: screen, result, report and exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

import gpo as package
from gpo.errors import UnreadableReplies
from gpo.optimizer.choose import PublishedMethod
from gpo.run.directory import RunDirectory
from gpo.run.estimate.context_size import engine_needs
from gpo.run.estimate.estimate import estimate
from gpo.run.evaluate import evaluate_prompt
from gpo.run.optimize import Run
from gpo.run.progress import Progress
from gpo.run.watcher import Watcher
from tests.cli.gpo import gpo
from tests.suites.suites import bench, grid_of, write_suite
from tests.support.landscape import Landscape
from tests.support.server import ModelServer, last_text

from .support import PROMPT, configuration, plan, run, write_rows

LANDSCAPE = Landscape()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))


CUT = "dev: 8 of 8 replies were cut at models.task.max_tokens: 20; raise it; a typical reply: 'well "
UNREAD = "dev: 8 of 8 replies could not be read as answer.kind: label; a typical reply: "
NO_STEP = "no reply to the initial prompt could be read, so the run stopped before its first step"


def answering(task: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str | list[str]]:
    """The landscape's optimizer with another task model."""
    return lambda body: task(body) if body["model"] == "task" else LANDSCAPE.answer(body)


def ramble(body: dict[str, Any]) -> str:
    """30 words, of which 20 are let through."""
    return "well " * 30


def write(server: ModelServer, folder: Path, **sections: Any) -> None:
    write_rows(folder)
    (folder / "gpo.yaml").write_text(yaml.safe_dump(configuration(server.base_url, folder, **sections)))


def saved(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "runs" / "gpo" / "result.json").read_text())
    return found


def page_top(folder: Path) -> str:
    """The text of the report before its first section."""
    page = (folder / "runs" / "gpo" / "report.html").read_text()
    return unescape(page[page.index("<header>") : page.index("<main")])


def optimizer_calls(server: ModelServer) -> list[dict[str, Any]]:
    return [body for body in server.bodies() if body["model"] == "optimizer"]


def test_a_run_of_cut_replies_stops_before_its_first_step_and_goes_on_where_told(
    server: ModelServer, tmp_path: Path
) -> None:
    server.answer = answering(ramble)
    write(server, tmp_path)
    done = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"gpo: {CUT}")
    assert NO_STEP in line
    assert "--keep-going" in line
    assert len(optimizer_calls(server)) == 1  # the one that tries it
    assert server.stats.calls == 9
    warning = saved(tmp_path)["warnings"][-1]
    assert warning in line
    assert warning in page_top(tmp_path)
    assert saved(tmp_path)["steps"] == []

    again = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (1, done.stderr)
    assert server.stats.calls == 9

    on = gpo("optimize", "gpo.yaml", "--keep-going", cwd=tmp_path)
    assert on.returncode == 0, on.stderr
    assert on.stderr.count(CUT) == 1, "said once while it runs"
    assert server.stats.repeated == 0
    result = saved(tmp_path)
    total = re.search(r"dev: (\d+) of \1 replies were cut at models\.task\.max_tokens: 20", on.stdout)
    assert total
    assert int(total[1]) > 8, "the last screen has the whole run's"
    found = [warning for warning in result["warnings"] if total[0] in warning]
    assert len(found) == 1
    assert found[0] in page_top(tmp_path)
    assert result["status"] == "complete"
    assert len(result["steps"]) == 2
    assert gpo("optimize", "gpo.yaml", cwd=tmp_path).returncode == 0, "the key makes no other run"


def test_unreadable_replies_are_shown_shortened_and_escaped(server: ModelServer, tmp_path: Path) -> None:
    said = "<b>I like</b>\n\x1b[31mtrains a lot"
    server.answer = answering(lambda body: said)
    write(server, tmp_path)
    done = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert done.returncode == 1
    shown = f"{UNREAD}'<b>I like</b> \\x1b[31mtrains a lot'; see task.answer or the prompt"
    assert shown in done.stderr
    assert "\x1b" not in done.stderr
    assert shown in saved(tmp_path)["warnings"][-1]
    assert shown in page_top(tmp_path)
    page = (tmp_path / "runs" / "gpo" / "report.html").read_text()
    assert "<b>I like" not in page
    assert "&lt;b&gt;I like" in page


@pytest.mark.parametrize(("bad", "warned"), [(1, False), (2, True)], ids=["an eighth", "a quarter"])
async def test_beyond_a_fifth_a_run_warns_and_goes_on(
    bad: int, warned: bool, server: ModelServer, tmp_path: Path
) -> None:
    dev = [row["input"] for row in LANDSCAPE.rows(8, 6)]

    def task(body: dict[str, Any]) -> str:
        lost = any(row in last_text(body) for row in dev[:bad])
        found = LANDSCAPE.answer(body)
        assert isinstance(found, str)
        return "who knows" if lost else found

    server.answer = answering(task)
    told = Told()
    result = await Run(plan(server, tmp_path), RunDirectory(tmp_path / "run"), watcher=told).execute()
    lines = [line for line in result.extra["warnings"] if "could not be read" in line]
    assert bool(lines) == warned
    assert any("could not be read" in line for line in told.lines) == warned
    if warned:
        count, total = map(int, re.findall(r"dev: (\d+) of (\d+) replies", lines[0])[0])
        assert 4 * count == total, "every prompt meets the same rows"


@pytest.mark.parametrize("method", ["empty", "cot"])
async def test_what_only_evaluates_finishes_and_warns(
    method: str, server: ModelServer, tmp_path: Path
) -> None:
    server.answer = answering(ramble)
    told, found = Told(), plan(server, tmp_path, method=method)
    result = await Run(found, RunDirectory(tmp_path / "run"), watcher=told).execute()
    assert result.status == "complete"
    (line,) = [line for line in result.extra["warnings"] if line.startswith(CUT)]
    assert line in told.lines


@pytest.mark.parametrize("method", ["opro", "ape-original", "apo-original", "opro-original", "pe2-original"])
async def test_every_method_with_steps_stops(method: str, server: ModelServer, tmp_path: Path) -> None:
    server.answer = answering(ramble)
    with pytest.raises(UnreadableReplies, match="8 of 8") as caught:
        await run(server, tmp_path, method=method)
    assert server.stats.calls == 9  # with the one that tries the optimizer
    assert caught.value.exit_code == 1
    assert caught.value.result is not None
    assert caught.value.result.best_prompt == PROMPT


class Told(Watcher):
    """What a person is told, with how many pairs were scored until then."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.lines: dict[str, int] = {}

    def note(self, line: str) -> None:
        self.lines[line] = self.progress.pairs_done

    def step_finished(self, record: object) -> None: ...


@dataclass(frozen=True, slots=True)
class OwnStart(PublishedMethod):
    """As a method that brings start prompts of its own."""

    @property
    def needs_readable_start(self) -> bool:
        return False


async def test_a_method_with_start_prompts_of_its_own_is_not_stopped(
    server: ModelServer, tmp_path: Path
) -> None:
    server.answer = answering(ramble)
    found = plan(server, tmp_path, method="opro-original")
    assert isinstance(found.method, PublishedMethod)
    found = replace(found, method=OwnStart(found.method.settings))
    result = await Run(found, RunDirectory(tmp_path / "own"), use_shared_store=False).execute()
    assert result.steps
    assert any("were cut at" in line for line in result.extra["warnings"])


async def test_a_long_run_says_it_before_its_first_prompt_is_through(
    server: ModelServer, tmp_path: Path
) -> None:
    server.answer = answering(ramble)
    write_rows(tmp_path)
    rows = "".join(json.dumps(row) + "\n" for row in LANDSCAPE.rows(80, 100))
    (tmp_path / "dev.jsonl").write_text(rows)
    told, found = Told(), plan(server, tmp_path)
    with pytest.raises(UnreadableReplies, match="80 of 80"):
        await Run(found, RunDirectory(tmp_path / "run"), told.progress, told).execute()
    ((line, scored),) = [pair for pair in told.lines.items() if "were cut" in pair[0]]
    assert line.startswith("dev: 51 of 51 replies")
    assert scored == 50


def test_evaluate_warns_too(server: ModelServer, tmp_path: Path) -> None:
    server.answer = answering(ramble)
    write(server, tmp_path)
    done = gpo("evaluate", "gpo.yaml", "--prompt", "Think", "--json", cwd=tmp_path)
    assert done.returncode == 0
    (line,) = json.loads(done.stdout)["warnings"]
    assert line.startswith("test: 10 of 10 replies were cut at models.task.max_tokens: 20; raise it")
    assert line in done.stderr


async def test_empty_replies_are_called_so(server: ModelServer, tmp_path: Path) -> None:
    server.answer = answering(lambda body: "")
    found = await evaluate_prompt(plan(server, tmp_path), "Think", "dev")
    assert found.warnings == (f"{UNREAD.removesuffix(': ')} is empty; see task.answer or the prompt",)


async def test_a_second_round_that_is_cut_names_its_own_key(server: ModelServer, tmp_path: Path) -> None:
    server.answer = answering(lambda body: "well " * (30 if len(body["messages"]) > 1 else 3))
    task = configuration(server.base_url, tmp_path)["task"]
    task["answer"] |= {"rounds": 2, "second_round_tokens": 7}
    found = await evaluate_prompt(plan(server, tmp_path, task=task), "Think", "test")
    (line,) = found.warnings
    assert "test: 10 of 10 replies were cut at task.answer.second_round_tokens: 7; raise it" in line


def test_steps_without_a_candidate_say_why_once(server: ModelServer, tmp_path: Path) -> None:
    def optimizer(body: dict[str, Any]) -> str:
        # Six words between the tags, or twenty-one without the last tag.
        closed = body["seed"] % 2
        return "<START>one two three four five six<END>" if closed else "<START>" + "on " * 30

    server.answer = lambda body: LANDSCAPE.answer(body) if body["model"] == "task" else optimizer(body)
    settings = {"epochs": 1, "batch_size": 3, "candidates": 4, "resamples": 0, "max_words": 5}
    write(server, tmp_path, optimize=settings)
    done = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    line = (
        "in 2 of 2 steps all 8 candidates were rejected: 4 cut at models.optimizer.max_tokens: 20, "
        "4 longer than optimize.max_words: 5"
    )
    assert done.stderr.count(line) == 1
    assert line in " ".join(done.stdout.split())
    assert [warning for warning in saved(tmp_path)["warnings"] if warning.startswith(line)]
    assert line in page_top(tmp_path)


async def test_a_start_prompt_over_max_words_makes_room(server: ModelServer, tmp_path: Path) -> None:
    def optimizer(body: dict[str, Any]) -> str:
        return "<START>" + f"w{body['seed']} " * 50 + "<END>"

    server.answer = lambda body: LANDSCAPE.answer(body) if body["model"] == "task" else optimizer(body)
    start = " ".join(["amber"] * 30)
    settings = {"epochs": 1, "batch_size": 3, "candidates": 2, "max_words": 10}
    line = (
        "the start prompt has 30 words, more than optimize.max_words: 10; the run raises that to 60 and "
        "models.optimizer.max_tokens from 20 to 120"
    )
    told, found = Told(), plan(server, tmp_path, prompt=start, optimize=settings)
    result = await Run(found, RunDirectory(tmp_path / "run"), watcher=told).execute()
    assert line in told.lines
    assert line in result.extra["warnings"]
    assert {body["max_tokens"] for body in optimizer_calls(server)} == {120}
    assert all(step["candidates_scored"] for step in result.steps)
    written = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert written["optimize"]["max_words"] == 10, "as the user wrote it"
    calls = server.stats.calls
    await run(server, tmp_path, prompt=start, optimize=settings)
    assert server.stats.calls == calls
    larger = settings | {"max_words": 60}
    models = configuration(server.base_url, tmp_path)["models"]
    models["optimizer"]["max_tokens"] = 120
    same = plan(server, tmp_path, prompt=start, optimize=larger, models=models)
    assert estimate(found) == estimate(same)
    assert estimate(found) != estimate(plan(server, tmp_path, prompt=start, optimize=larger))


def test_an_embedded_engine_gets_room_for_a_long_start_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpo.run import plan as plans

    asked: list[tuple[int, int]] = []
    needs = engine_needs

    def noted(config: Any, *rest: Any) -> Any:
        asked.append((config.optimize.max_words, config.models.optimizer.max_tokens))
        return needs(config, *rest)

    monkeypatch.setattr(plans, "engine_needs", noted)
    monkeypatch.setattr(plans, "is_embedded", lambda settings: True)
    start = " ".join(["amber"] * 300)
    found = plan("http://127.0.0.1:9/v1", tmp_path, prompt=start, model={"max_tokens": 512}, optimize={})
    assert asked == [(600, 1536)]
    assert (found.guard.max_words, found.max_tokens) == (600, 1536)
    # No candidate is written there.
    assert plan("http://127.0.0.1:9/v1", tmp_path, prompt=start, method="cot").warnings == ()
    # A run of GPO 0.1.0 goes on as it began.
    assert plan("http://127.0.0.1:9/v1", tmp_path, prompt=start, layout=1).max_tokens == 20


def test_a_suite_tells_its_trials_and_goes_on_in_the_same_folders(
    server: ModelServer, tmp_path: Path
) -> None:
    server.answer = answering(ramble)
    suite, out = write_suite(tmp_path, server.base_url, seeds=1), tmp_path / "out"
    _, (trial,) = bench(suite, out, only="one-opro-*")
    assert trial.status == "failed"
    assert CUT in trial.reason
    folders = {path.name for path in out.iterdir() if path.is_dir()}
    on = gpo("bench", suite, "--out", out, "--only", "one-opro-*", "--keep-going", cwd=tmp_path)
    assert on.returncode == 0, on.stderr
    assert "were cut at models.task.max_tokens: 20" in on.stderr
    assert {path.name for path in out.iterdir() if path.is_dir()} == folders
    assert server.stats.repeated == 0


def test_the_key_names_no_other_folder(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", base={"prompt": "amber"})
    plain, going = grid_of(suite), grid_of(suite, "base.optimize.keep_going=true")
    assert [trial.run_dir for trial in plain.trials] == [trial.run_dir for trial in going.trials]
    assert any(config.optimize.keep_going for config in going.configs.values())


def test_python_has_the_result_in_the_error_and_the_key(tmp_path: Path) -> None:
    rows = [{"input": f"Is it {n}?", "target": "Yes" if n % 2 else "No"} for n in range(12)]
    splits = {"train": rows[:4], "dev": rows[4:8], "test": rows[8:]}
    task = package.Task.from_rows(splits, answer="boolean", name="odd")
    options: dict[str, Any] = {
        "models": {"task": lambda prompt: "hm", "optimizer": lambda prompt: "<START>a b<END>"},
        "method": "ape",
    }
    with pytest.raises(UnreadableReplies, match=r"answer\.kind: boolean; a typical reply: 'hm'") as caught:
        package.optimize(task, **options)
    assert isinstance(caught.value.result, package.Result)
    result = package.optimize(task, **options, optimize={"keep_going": True, "epochs": 1})
    assert result.status == "complete"
    assert any("could not be read" in line for line in result.extra["warnings"])
    assert "could not be read" in result.as_html()
