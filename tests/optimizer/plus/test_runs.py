"""Whole runs of gpo+ against the loopback server: the budget is kept, a replay is the run, what it says is so."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gpo.config.load import parse_config
from gpo.errors import ConfigError, Interrupted, PermanentModelError
from gpo.model import embedder
from gpo.report.data import read_run
from gpo.report.page import report_html
from gpo.report.terminal import show
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.estimate.estimate import estimate
from gpo.run.optimize import Run
from gpo.run.plan import Plan, assemble
from gpo.task.demonstrations import split_prompt
from tests.reliability.support import timeless
from tests.support.landscape import Landscape
from tests.support.runs import write_task
from tests.support.server import ModelServer, all_text, last_text

ROWS = {"train": 16, "dev": 12, "test": 10}
LANDSCAPE = Landscape(demonstration=0.08)
Answer = Callable[[dict[str, Any]], str]


@pytest.fixture(autouse=True)
def no_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta-prompt goes by recency then; an embedder is tested elsewhere."""

    async def opened(prefer: str | None = None) -> None:
        raise PermanentModelError("there is none here", scope="run")

    monkeypatch.setattr(embedder, "open_embedder", opened)


def plan(server: ModelServer | None, folder: Path, method: Any = None, **sections: Any) -> Plan:
    rows = sections.pop("rows", ROWS)
    write_task(folder / "rows", LANDSCAPE, **rows)
    model: dict[str, Any] = {
        "base_url": server.base_url if server else "http://127.0.0.1:1",
        "max_tokens": 20,
        "retry_delay": 0.001,
        "concurrency": sections.pop("concurrency", 16),
    }
    config = {
        "task": {"data": str(folder / "rows"), "answer": {"kind": "label", "labels": ["left", "right"]}},
        "prompt": "amber anchor",
        "models": {"task": {"model": "task", **model}, "optimizer": {"model": "optimizer", **model}},
        "method": method or {"name": "gpo+", "budget": 120},
        **sections,
    }
    return assemble(parse_config(config), base_dir=folder)


async def run(
    folder: Path, method: Any = None, *, answer: Answer = LANDSCAPE.answer, name: str = "run", **sections: Any
) -> tuple[Result, ModelServer]:
    with ModelServer(answer=answer) as server:
        made = plan(server, folder, method, **sections)
        return await Run(made, RunDirectory(folder / name), use_shared_store=False).execute(), server


def search_calls(server: ModelServer, test: int) -> int:
    return int(sum(body["model"] == "task" for body in server.bodies())) - test


def told(result: Result) -> dict[str, Any]:
    found = result.to_dict()["gpo+"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("budget", [50, 61, 120, "light"])
async def test_a_run_spends_its_budget_and_no_more(tmp_path: Path, budget: int | str) -> None:
    result, server = await run(tmp_path, {"name": "gpo+", "budget": budget})
    most = 300 if budget == "light" else int(budget)
    tested = 10 * (1 if result.best_prompt == result.initial_prompt else 2)
    asked = search_calls(server, tested)
    assert result.status == "complete"
    assert 0.8 * most <= asked <= most
    assert told(result)["pairs"] == asked
    assert result.usage.task.calls == asked + tested


async def test_it_climbs_and_says_by_what_its_scores_are_estimated(tmp_path: Path) -> None:
    result, _ = await run(tmp_path, {"name": "gpo+", "budget": "light"})
    words, shown = split_prompt(result.best_prompt)
    truth = LANDSCAPE.accuracy(words) + 0.08 * min(4, len(shown))
    assert truth > LANDSCAPE.accuracy("amber anchor") + 0.2
    found = told(result)
    assert found["dev_scores_by"] == "posterior mean"
    assert found["best"]["demonstrations"] == len(shown)
    assert result.scores.best.dev is not None
    assert 0 < result.scores.best.dev < 1
    assert {"meta-prompt", "edit", "demonstrations"} <= found["moves"].keys()
    steps = read_run(tmp_path / "run").steps
    assert len(steps) == len(result.steps) == 1 + found["plan"]["steps"] + 1
    assert steps[-1].chosen == result.best_prompt
    assert (tmp_path / "run/best_prompt.txt").read_text() == result.best_prompt
    template = json.loads((tmp_path / "run/best_template.json").read_text())
    assert len(template["messages"]) == 1 + 2 * len(shown)


async def test_every_call_of_a_search_is_held_to_the_form_where_the_endpoint_has_it(tmp_path: Path) -> None:
    answer = {"kind": "label", "labels": ["left", "right"], "structured": True}

    def held(body: dict[str, Any]) -> str:
        said = LANDSCAPE.answer(body)
        return json.dumps({"answer": said}) if "response_format" in body else said

    task = {"data": str(tmp_path / "rows"), "answer": answer}
    result, server = await run(tmp_path, {"name": "gpo+", "budget": "light"}, answer=held, task=task)
    asked = [body for body in server.bodies() if body["model"] == "task"]
    assert all("response_format" in body for body in asked)
    assert not any("response_format" in body for body in server.bodies() if body["model"] == "optimizer")
    assert LANDSCAPE.accuracy(split_prompt(result.best_prompt)[0]) > LANDSCAPE.accuracy("amber anchor")


async def test_what_each_part_brought_adds_up_and_is_on_screen_and_page(tmp_path: Path) -> None:
    result, _ = await run(tmp_path, {"name": "gpo+", "budget": "light"})
    parts = told(result)["contributions"]
    assert [item["part"] for item in parts] == [
        "start library",
        "demonstrations",
        "edits",
        "written by the optimizer model",
    ]
    scores = result.scores
    assert scores.best.dev is not None
    assert scores.initial.dev is not None
    gained = sum(item["gain"] for item in parts)
    assert gained == pytest.approx(scores.best.dev - scores.initial.dev, abs=1e-6)
    moves = told(result)["moves"]
    assert parts[2]["tried"] == moves["edit"]["tried"]
    assert parts[3]["tried"] == moves["meta-prompt"]["tried"] + moves["reflection"]["tried"]
    screen = StringIO()
    show(result, Console(file=screen, width=200))
    line = f"{100 * parts[3]['gain']:+.1f}  written by the optimizer model ({parts[3]['tried']} tried"
    assert line in screen.getvalue()
    assert line in report_html(tmp_path / "run")


async def test_no_prompt_is_scored_on_a_row_that_it_shows(tmp_path: Path) -> None:
    _, server = await run(tmp_path, {"name": "gpo+", "budget": "light"})
    shown: set[str] = set()
    asked: set[str] = set()
    for body in server.bodies():
        if body["model"] == "task":
            questions = [
                turn["content"].split("\n")[0] for turn in body["messages"] if turn["role"] == "user"
            ]
            shown.update(questions[:-1])
            asked.add(questions[-1])
    assert shown
    assert not shown & asked


async def test_the_duel_is_on_rows_that_nobody_met(tmp_path: Path) -> None:
    await run(tmp_path, {"name": "gpo+", "budget": 120})
    with_duel = _scored_splits(tmp_path / "run")
    await run(tmp_path, {"name": "gpo+", "budget": 120, "duel": False}, name="without")
    without = _scored_splits(tmp_path / "without")
    assert with_duel["train"] >= 8
    assert without["train"] == 0


def _scored_splits(directory: Path) -> dict[str, int]:
    from gpo.storage.journal_reader import JournalReader

    counts: dict[str, int] = defaultdict(int)
    with JournalReader(directory / "journal.sqlite") as reader:
        for score in reader.scores():
            counts[score.split] += 1
    return counts


async def test_a_replay_and_another_concurrency_give_the_same(tmp_path: Path) -> None:
    with ModelServer(answer=LANDSCAPE.answer) as server:

        async def execute(name: str, **sections: Any) -> dict[str, Any]:
            made = plan(server, tmp_path, **sections)
            return timeless(await Run(made, RunDirectory(tmp_path / name), use_shared_store=False).execute())

        first = await execute("run")
        (tmp_path / "run/result.json").unlink()
        calls = server.stats.calls
        assert await execute("run") == first
        assert server.stats.calls == calls
        assert await execute("alone", concurrency=1) == first


async def test_an_interrupted_run_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    stop_at: dict[int, Run] = {}

    def answer(body: dict[str, Any]) -> str:
        if going := stop_at.get(server.stats.calls):
            loop.call_soon_threadsafe(going.stop)
        return LANDSCAPE.answer(body)

    loop = asyncio.get_running_loop()
    with ModelServer(answer=answer) as server:

        def prepared(name: str) -> Run:
            return Run(plan(server, tmp_path), RunDirectory(tmp_path / name), use_shared_store=False)

        whole = await prepared("whole").execute()
        calls = server.stats.calls
        for share in (0.2, 0.5):
            going = prepared("run")
            at = server.stats.calls + int(share * calls)
            stop_at.update({at + more: going for more in range(8)})
            with pytest.raises(Interrupted) as stopped:
                await going.execute()
            assert stopped.value.result is not None
        result = await prepared("run").execute()
        # What was under way when it was stopped was let finish: nothing is asked twice.
        assert server.stats.calls == 2 * calls
    assert timeless(result) == timeless(whole)


async def test_an_optimizer_that_writes_nothing_usable_is_said_and_survived(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> str:
        return "left" if body["model"] == "optimizer" else LANDSCAPE.answer(body)

    result, _ = await run(tmp_path, answer=answer)
    assert any("were no usable prompts" in line for line in result.extra["warnings"])
    moves = told(result)["moves"]
    assert moves.keys() == {"edit", "demonstrations"}
    assert told(result)["pairs"] >= 0.8 * 120


async def test_a_guessing_prompt_is_named_and_never_a_parent(tmp_path: Path) -> None:
    """Whatever holds "exactly" makes the model say left, which is right for half of the rows and more than any other
    prompt gets."""

    def answer(body: dict[str, Any]) -> str:
        if body["model"] == "optimizer":
            return LANDSCAPE.answer(body)
        return "left" if "exactly" in last_text(body) else Landscape(floor=0.2, ceiling=0.3).answer(body)

    result, _ = await run(tmp_path, {"name": "gpo+", "budget": "light"}, answer=answer)
    assert told(result)["starts"]["label hint"]["guessing"]
    assert any("only guess" in line and "label hint" in line for line in result.extra["warnings"])
    assert "exactly" not in result.best_prompt
    parents = [step.parent for step in read_run(tmp_path / "run").steps]
    assert not any("exactly" in parent for parent in parents)


async def test_after_four_steps_without_a_new_best_the_best_of_all_is_current_again(tmp_path: Path) -> None:
    """No candidate is as good as the start prompt: a search goes on from each step's best all the same, for a while."""

    def answer(body: dict[str, Any]) -> str:
        if body["model"] == "optimizer":
            return f"<START>word{len(all_text(body)) % 97} and word{body['seed'] % 97}<END>"
        right = last_text(body).endswith("\namber anchor")
        return (
            Landscape(floor=1.0, ceiling=1.0).answer(body)
            if right
            else Landscape(floor=0.1, ceiling=0.3).answer(body)
        )

    method = {"name": "gpo+", "budget": 150, "library": False, "duel": False, "demonstrations": False}
    await run(tmp_path, method, answer=answer)
    chosen = [step.chosen == "amber anchor" for step in read_run(tmp_path / "run").steps]
    assert chosen[:5] == [False, False, False, True, False]


async def test_the_meta_prompt_shows_words_and_tells_of_demonstrations(tmp_path: Path) -> None:
    _, server = await run(tmp_path, {"name": "gpo+", "budget": "light"})
    asked = [all_text(body) for body in server.bodies() if body["model"] == "optimizer"]
    assert not any("<Demonstrations>" in text for text in asked)
    assert any("worked examples stand before the question" in text for text in asked)
    assert any("No answer could be read" in text or "Answer that was read" in text for text in asked), (
        "reflection"
    )


SWITCHES = ["library", "demonstrations", "posterior", "duel", "discriminative", "edits", "reflection"]


@pytest.mark.parametrize("switch", SWITCHES)
async def test_each_component_can_be_left_out(tmp_path: Path, switch: str) -> None:
    result, server = await run(tmp_path, {"name": "gpo+", "budget": 120, switch: False})
    asked = [all_text(body) for body in server.bodies() if body["model"] == "optimizer"]
    found = told(result)
    assert result.status == "complete"
    assert found["pairs"] <= 120
    if switch == "library":
        assert found["starts"].keys() == {"start"}
    if switch == "demonstrations":
        assert all(len(body["messages"]) == 1 for body in server.bodies())
    if switch == "posterior":
        assert found["dev_scores_by"] == "mean over the rows that each prompt met"
    if switch == "edits":
        assert "edit" not in found["moves"]
    if switch == "reflection":
        assert not any("the model failed on these" in text for text in asked)


@pytest.mark.parametrize("switch", ["trust_region", "signal"])
async def test_each_ablation_runs(tmp_path: Path, switch: str) -> None:
    result, _ = await run(tmp_path, {"name": "gpo+", "budget": 120, switch: True})
    limits = [step["edit_limit"] for step in result.steps]
    assert result.status == "complete"
    if switch == "signal":
        assert all(item["sd"] > 0 for item in told(result)["signal"])
    else:
        found = [limit for limit in limits if limit is not None]
        assert found[0] == 50
        assert len(set(found)) == len(found), "it moves at every step"
        cosine, _ = await run(tmp_path, name="cosine")
        assert limits != [step["edit_limit"] for step in cosine.steps]


@pytest.mark.parametrize("cap", [100, 180, 300])
async def test_a_cap_on_calls_is_the_plan(tmp_path: Path, cap: int) -> None:
    result, server = await run(tmp_path, "gpo+", budget={"max_calls": cap})
    assert result.status == "complete"
    assert server.stats.calls <= cap
    assert server.stats.calls >= 0.75 * cap


@pytest.mark.parametrize(
    ("method", "sections", "message"),
    [
        (
            "gpo+",
            {"budget": {"max_calls": 45}},
            r"budget.max_calls: 45 calls are too few; gpo\+ needs at least 73, 20",
        ),
        (
            {"name": "gpo+", "budget": 49},
            {},
            r"method.budget: 49 task calls are too few; gpo\+ needs at least 50",
        ),
    ],
)
def test_a_budget_too_small_says_the_least(
    tmp_path: Path, method: Any, sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(None, tmp_path, method, **sections)


async def test_the_least_that_is_said_is_enough(tmp_path: Path) -> None:
    result, server = await run(tmp_path, "gpo+", budget={"max_calls": 73})
    assert result.status == "complete"
    assert server.stats.calls <= 73


async def test_few_rows(tmp_path: Path) -> None:
    result, _ = await run(tmp_path, rows={"train": 3, "dev": 2, "test": 2})
    assert result.status == "complete"
    assert any("train has 3 rows" in line for line in result.extra["warnings"])
    assert any("3 rows of train are left for the last duel" in line for line in result.extra["warnings"])


async def test_the_estimate_knows_its_calls(tmp_path: Path) -> None:
    known = estimate(plan(None, tmp_path, {"name": "gpo+", "budget": "heavy"}))
    assert known.task.most.calls == 3_000 + 20
