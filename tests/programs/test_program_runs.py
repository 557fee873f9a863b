"""Whole runs of a program with two prompts: killed and gone on with, capped, replayed, in any order of completion."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.run.journal_writer import prompt_id
from gpo.storage.journal_reader import JournalReader
from gpo.task.program.parts import join_parts
from tests.programs.support import PROMPTS, SIZES, answer, draw, make_task, metric, optimize, rows, run, told
from tests.support.server import ModelServer, last_text


def texts(server: ModelServer, model: str = "task") -> list[str]:
    return [last_text(body) for body in server.bodies() if body["model"] == model]


def test_a_step_changes_one_prompt_and_leaves_the_other(tmp_path: Path) -> None:
    with ModelServer(answer=answer) as server:
        longer = {"epochs": 2, "batch_size": 3, "candidates": 2}
        result = optimize(server.base_url, tmp_path / "run", optimize=longer)
        asked = texts(server, "optimizer")
    assert [step["part"] for step in result.steps] == ["rewrite", "answer", "rewrite", "answer"]
    assert set(result.best_prompts) == set(PROMPTS)
    assert result.best_prompts["rewrite"].startswith("REWRITE")
    assert result.best_prompts["answer"].startswith("ANSWER")
    assert gpo.Result.read(tmp_path / "run" / "result.json").best_prompts == result.best_prompts
    first = next(text for text in asked if "that you improve is `answer`" in text)
    assert "`rewrite`: REWRITE with word" in first, "the frozen part is shown"
    assert "Prompt: ANSWER it" in first
    assert "<Part" not in "".join(asked)
    with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
        steps = [step for _, step in sorted(reader.steps().items())]
    for step in steps:
        kept = "answer" if step["part"] == "rewrite" else "rewrite"
        before = step["parent"].split(f"<Part {kept}>")[1].split("</Part>")[0]
        for item in step["candidates"]:
            if item["rejected"] is None:
                assert item["prompt"].split(f"<Part {kept}>")[1].split("</Part>")[0] == before


def test_killed_in_the_middle_of_a_program_and_gone_on_with(tmp_path: Path) -> None:
    killed_and_completed(tmp_path, [30])


@pytest.mark.slow
def test_killed_often_and_gone_on_with(tmp_path: Path) -> None:
    drawn = random.Random(3)
    killed_and_completed(tmp_path, [drawn.randint(3, 14) for _ in range(8)])


def killed_and_completed(folder: Path, pauses: list[int]) -> None:
    """A run that is killed after so many more calls each time equals an undisturbed one, and pays for nothing twice but
    what had not reached its journal."""
    with ModelServer(answer=answer) as server:
        whole = optimize(server.base_url, folder / "whole")
        alone = server.stats.finished
    with ModelServer(answer=answer, delay=0.01) as server:
        command = [sys.executable, "-m", "tests.programs.support", server.base_url, str(folder / "run")]
        for pause in pauses:
            enough = server.stats.finished + pause
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            while server.stats.finished < enough and process.poll() is None:
                time.sleep(0.002)
            process.kill()
            process.communicate(timeout=60)
        begun = [text for text in texts(server) if text.startswith("REWRITE")]
        ended = [text for text in texts(server) if text.startswith("ANSWER")]
        assert len(ended) < len(begun), "no row was between its two calls"
        server.delay = 0
        result = optimize(server.base_url, folder / "run")
        assert told(result) == told(whole)
        # Four under way, and four whose answers had yet to reach the disk, as for any run that is killed.
        most_lost = 2 * 4 * len(pauses)
        assert server.stats.repeated <= most_lost
        assert server.stats.finished <= alone + most_lost


def test_a_cap_on_calls_is_never_exceeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(answer=answer) as server:
        for cap in (7, 40, 61):
            with pytest.raises(gpo.BudgetError) as stopped:
                optimize(server.base_url, tmp_path / "run", budget={"max_calls": cap})
            assert server.stats.calls == cap, "earlier ones count too"
            assert stopped.value.result is not None
        result = optimize(server.base_url, tmp_path / "run", budget={"max_calls": 1000})
        assert server.stats.repeated == 0
        total = server.stats.calls
        monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
        whole = optimize(server.base_url, tmp_path / "whole")
        assert server.stats.calls == 2 * total
    assert told(result) == told(whole)


def test_a_budget_that_a_program_swallows_still_ends_the_run(tmp_path: Path) -> None:
    async def stubborn(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
        while True:
            try:
                return str(await model(f"{prompts['answer']}\n{row['question']}"))
            except Exception:
                continue

    with ModelServer(answer=answer) as server, pytest.raises(gpo.BudgetError):
        optimize(server.base_url, None, make_task(stubborn), budget={"max_calls": 5})
    assert server.stats.calls == 5


async def falls_back(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    try:
        return await run(prompts, row, model)
    except Exception:
        return "left"


def test_a_cap_leaves_no_outcome_of_a_program_that_deals_with_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(answer=answer, delay=0.002) as server:
        for cap in (13, 26):
            with pytest.raises(gpo.BudgetError):
                optimize(server.base_url, tmp_path / "run", make_task(falls_back), budget={"max_calls": cap})
        with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
            scores = reader.scores(prompt_id(join_parts(PROMPTS)), "dev")
            assert all(len(score.calls) == 2 for score in scores)
        result = optimize(server.base_url, tmp_path / "run", make_task(falls_back))
        monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
        assert told(optimize(server.base_url, None, make_task(falls_back))) == told(result)


def test_a_replay_gives_the_same_run_without_a_call(tmp_path: Path) -> None:
    with ModelServer(answer=answer) as server:
        first = optimize(server.base_url, tmp_path / "run")
        (tmp_path / "run" / "result.json").unlink()
        calls = server.stats.calls
        assert told(optimize(server.base_url, tmp_path / "run")) == told(first)
        assert server.stats.calls == calls


def test_the_order_of_completion_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number, concurrency in enumerate((1, 32)):
        monkeypatch.setenv("GPO_HOME", str(tmp_path / f"home{number}"))
        with ModelServer(answer=answer, delay=0.001 * number) as server:
            result = optimize(server.base_url, None, model={"concurrency": concurrency})
            assert server.stats.finished > 100
        found.append(told(result))
    assert found[0] == found[1]


def test_a_sync_program_runs_in_threads_and_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
        query = model(f"{prompts['rewrite']}\n{row['question']}")
        return str(model(f"{prompts['answer']}\n{query}"))

    with ModelServer(answer=answer) as server:
        whole = optimize(server.base_url, None)
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    with ModelServer(answer=answer, delay=0.005) as server:
        result = optimize(server.base_url, None, make_task(waits))
        assert server.stats.max_concurrent == 4
    assert result.best_prompts == whole.best_prompts
    assert result.scores == whole.scores
    assert result.usage == whole.usage


def nested(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    """A loop of its own, in the thread that it is run in."""

    async def both() -> list[str]:
        return list(await asyncio.gather(*(model(f"ANSWER {n} {row['question']}") for n in range(2))))

    return asyncio.run(both())[0]


async def grouped(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(model(f"ANSWER {n} {row['question']}")) for n in range(2)]
    return str(asked[0].result())


def hands_on(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> Any:
    """Not async itself, and what it returns is to be awaited."""
    return grouped(prompts, row, model)


async def in_a_thread(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    def both() -> list[str]:
        return [model(f"ANSWER {n} {row['question']}") for n in range(2)]

    return (await asyncio.to_thread(both))[0]


async def leaves_one_behind(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    left = asyncio.create_task(model(f"ANSWER 1 {row['question']}"))
    reply = await model(f"ANSWER 0 {row['question']}")
    del left
    return str(reply)


@pytest.mark.parametrize("program", [nested, grouped, hands_on, in_a_thread, leaves_one_behind])
def test_the_model_is_called_in_any_way_that_python_knows(program: Any) -> None:
    with ModelServer(answer=answer, delay=0.005) as server:
        found = gpo.evaluate(
            make_task(program), PROMPTS, model={"model": "m", "base_url": server.base_url}, split="dev"
        )
    right = [row["answer"] == answer(asked(f"ANSWER 0 {row['question']}")) for row in rows()["dev"]]
    assert [value == 1 for value in found.values] == right
    assert found.usage["calls"] == server.stats.finished == 2 * SIZES["dev"]


def asked(text: str) -> dict[str, Any]:
    return {"messages": [{"content": text}]}


def test_repeated_samples_of_one_row_are_different_calls() -> None:
    async def votes(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
        text = f"{prompts['answer']}\n{row['question']}"
        given = [str(await model(text, temperature=1.0)) for _ in range(3)]
        return max(sorted(given), key=given.count)

    def sampled(body: dict[str, Any]) -> str:
        return "left" if draw(f"{last_text(body)} {body.get('seed')}") % 2 else "right"

    with ModelServer(answer=sampled) as server:
        found = gpo.evaluate(
            make_task(votes),
            {"answer": "ANSWER"},
            model={"model": "m", "base_url": server.base_url},
            split="dev",
        )
        seeds = [
            body["seed"] for body in server.bodies() if body["messages"][0]["content"].startswith("ANSWER")
        ]
    assert found.usage["calls"] == 3 * SIZES["dev"]
    assert len(set(seeds)) == 3
    assert server.stats.repeated == 0


def test_the_work_of_a_program_of_its_own_is_journaled(tmp_path: Path) -> None:
    done: list[str] = []

    def own(prompts: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, str]:
        done.append(f"{prompts['answer']} {row['question']}")
        return {"side": "left" if draw(f"{prompts['answer']} {row['question']}") % 2 else "right"}

    def side(output: dict[str, str], row: Mapping[str, Any]) -> float:
        return metric(output["side"], row)[0]

    def go_on(server: ModelServer, **changes: Any) -> gpo.Result:
        return gpo.optimize(
            make_task(own, metric=side, identity="own-1"),
            models={"optimizer": {"model": "optimizer", "base_url": server.base_url}},
            run_dir=tmp_path / "run",
            **{"prompts": {"answer": "ANSWER it"}, "method": {"trajectory": "recency"}, **changes},
            optimize={"epochs": 1, "batch_size": 3, "candidates": 3},
        )

    with ModelServer(answer=answer) as server:
        with pytest.raises(gpo.BudgetError):
            go_on(server, budget={"max_calls": 15})
        assert len(done) + server.stats.calls == 15
        result = go_on(server)
        assert len(done) == len(set(done)) == result.usage.task.calls
        (tmp_path / "run" / "result.json").unlink()
        calls, server_calls = len(done), server.stats.calls
        assert told(go_on(server)) == told(result)
        assert (len(done), server.stats.calls) == (calls, server_calls)


def test_the_trace_of_a_program_reaches_the_reflection() -> None:
    with ModelServer(answer=answer) as server:
        optimize(server.base_url, None, method={"direction": "prompt+reflection", "trajectory": "none"})
        asked = next(text for text in texts(server, "optimizer") if "these rows went wrong" in text)
    assert "Call 1 (prompt rewrite): REWRITE the question q" in asked
    assert "Call 2 (prompt answer): ANSWER it query " in asked
    assert "Feedback: expected " in asked
