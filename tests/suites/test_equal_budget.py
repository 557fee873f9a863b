"""Budgets of a suite: an equal one ends every search between two steps, whatever a store answers; a hard one still
leads to a held-out test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpo.errors import PermanentModelError
from gpo.model import embedder
from gpo.run.directory import RunDirectory
from gpo.suites.tables.run_outcome import read_outcome
from tests.suites.suites import bench, write_suite
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

ONE = [{"data": "one", "answer": {"kind": "label", "labels": ["left", "right"]}}]
OPTIMIZE: dict[str, Any] = {"epochs": 5, "batch_size": 3, "candidates": 3, "resamples": 0}
LONG: dict[str, Any] = {"prompt": "amber anchor", "optimize": OPTIMIZE}


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


def test_gpo_plus_plans_for_the_equal_budget(
    tmp_path: Path, land: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def opened(prefer: str | None = None) -> None:
        raise PermanentModelError("there is no embedder here", scope="run")

    monkeypatch.setattr(embedder, "open_embedder", opened)
    sections: dict[str, Any] = {"tasks": ONE, "methods": ["gpo+"], "seeds": [0], "base": LONG}
    suite = write_suite(tmp_path, land.base_url, **sections, budget={"equal": True, "max_calls": 150})
    _, (result,) = bench(suite, tmp_path / "out")
    calls, steps, tested = searched(tmp_path / "out", "gpo")
    assert result.status == "complete"
    # It comes to its end, the duel, with most of the cap used: test rows do not count.
    found = next(RunDirectory(path.parent).read_result() for path in tmp_path.glob("out/*/result.json"))
    assert found is not None
    assert steps == found.extra["gpo+"]["plan"]["steps"] + 2
    assert 120 <= calls <= 150
    assert tested == 10


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


TWO_ROUNDS = [
    {
        "data": "one",
        "answer": {"kind": "label", "labels": ["left", "right"], "rounds": 2},
        "demonstrations": 2,
    }
]


def capped(
    folder: Path, land: ModelServer, out: str, method: str, cap: dict[str, int], **sections: Any
) -> tuple[int, int, int]:
    """`searched` of one run of `method` under the equal budget `cap`."""
    sections = {"tasks": ONE, "methods": [method], "seeds": [0], "base": LONG, **sections}
    budget = {"budget": {"equal": True, **cap}} if cap else {}
    suite = write_suite(folder, land.base_url, name=f"{out}.yaml", **sections, **budget)
    _, results = bench(suite, folder / out)
    assert [result.status for result in results] == ["complete"], results
    return searched(folder / out, method)


def test_demonstrations_have_one_round_whatever_the_answer_says(tmp_path: Path, land: ModelServer) -> None:
    # 8 calls for the start prompt and 3 × 8 + 1 for a step. Of a second one the candidates are written, not scored.
    for cap, taken in ((32, 0), (33, 1), (40, 1)):
        calls, steps, _ = capped(tmp_path, land, f"cap{cap}", "ape", {"max_calls": cap}, tasks=TWO_ROUNDS)
        assert (calls, steps) == (min(cap, 8 + 25 * taken + 1), taken)


def test_a_base_model_s_second_round_counts(tmp_path: Path, land: ModelServer) -> None:
    base = {"model": "task", "base_url": land.base_url, "chat": False}
    models = {"base": {"task": base, "optimizer": {**base, "chat": True, "model": "optimizer"}}}
    tasks = [{**TWO_ROUNDS[0], "demonstrations": 0}]
    # So many words that three changes of them are three prompts.
    long = {**LONG, "prompt": "amber anchor badge basket birch bottle bridge bronze"}
    # 2 × 8 for the start prompt and 2 × 3 × 8 + 1 for a step.
    for cap, taken in ((64, 0), (65, 1)):
        budget = {"max_calls": cap}
        calls, steps, _ = capped(
            tmp_path, land, f"cap{cap}", "ape", budget, tasks=tasks, models=models, base=long
        )
        assert (calls <= cap, steps) == (True, taken)


def test_a_step_is_kept_where_all_that_it_asks_for_fits_and_else_dropped(
    tmp_path: Path, land: ModelServer
) -> None:
    # What four steps and what all of a shorter search ask for, from a search without a cap.
    shorter = {**LONG, "optimize": {**OPTIMIZE, "epochs": 2}}
    asked, steps, _ = capped(tmp_path, land, "whole", "ape", {}, base=shorter)
    assert steps == 4
    for cap, taken in ((asked, 4), (asked - 1, 3)):
        calls, steps, _ = capped(tmp_path, land, f"cap{cap}", "ape", {"max_calls": cap})
        assert (calls <= cap, steps) == (True, taken)


@pytest.mark.parametrize(
    ("method", "cap", "taken"),
    [("ape-original", 300, 0), ("apo-original", 1500, 5), ("pe2-original", 300, 2)],
)
def test_a_published_protocol_keeps_to_the_same_budget(
    tmp_path: Path, land: ModelServer, method: str, cap: int, taken: int
) -> None:
    calls, steps, tested = capped(tmp_path, land, "out", method, {"max_calls": cap})
    assert calls <= cap
    assert (steps, tested) == (taken, 10)
    if taken == 0:
        # Its induction alone asks for 200 prompts; only what led up to their scoring was paid for.
        assert calls < 30


def tokens_of(table_dir: Path) -> int:
    (run_dir,) = [path.name for path in table_dir.glob("*-ape-*")]
    found = read_outcome(run_dir, table_dir)
    assert found is not None
    return found.tokens


def test_tokens_of_the_first_step_are_not_taken_for_none(tmp_path: Path, land: ModelServer) -> None:
    # 8 rows of 12 words with their answers; what the optimizer is told is longer than the rest.
    assert capped(tmp_path, land, "out", "ape", {"max_tokens": 120})[:2] == (8, 0)
    assert tokens_of(tmp_path / "out") <= 120


def test_a_step_is_kept_where_all_its_tokens_fit_and_else_dropped(tmp_path: Path, land: ModelServer) -> None:
    # The start prompt is so long that a pair of any candidate is cheap beside it.
    long = {**LONG, "prompt": " ".join(["amber", "anchor", *["filler"] * 100])}
    shorter = {**long, "optimize": {**OPTIMIZE, "epochs": 2}}
    answer = land.answer
    land.answer = lambda body: (
        f"<START>amber {body['seed']}<END>" if body["model"] == "optimizer" else answer(body)
    )
    capped(tmp_path, land, "whole", "ape", {}, base=shorter)
    asked = tokens_of(tmp_path / "whole")
    calls = []
    for cap, taken in ((asked, 4), (asked - 1, 3), (asked - 100, 3)):
        called, steps, _ = capped(tmp_path, land, f"cap{cap}", "ape", {"max_tokens": cap}, base=long)
        assert steps == taken
        calls.append(called)
    # With 100 tokens less the questions alone are too many: none of them is asked.
    assert calls[2] < calls[1] - 5
    assert tokens_of(tmp_path / f"cap{asked - 100}") <= asked - 100


def test_steps_whose_candidates_are_all_rejected_use_the_budget_too(
    tmp_path: Path, land: ModelServer
) -> None:
    answer = land.answer
    land.answer = lambda body: "amber anchor" if body["model"] == "optimizer" else answer(body)
    base = {**LONG, "optimize": {**OPTIMIZE, "resamples": 1}}
    calls, steps, _ = capped(tmp_path, land, "out", "ape", {"max_calls": 13}, base=base)
    # 8 for the start prompt, 2 a step; one of the third.
    assert (calls, steps) == (13, 2)


def test_each_call_of_a_server_that_brings_one_completion_counts(tmp_path: Path, land: ModelServer) -> None:
    land.max_choices = 1
    for cap, taken in ((34, 0), (35, 1)):
        calls, steps, _ = capped(tmp_path, land, f"cap{cap}", "ape", {"max_calls": cap})
        assert (calls <= cap, steps) == (True, taken)


def test_calls_under_way_where_it_ends_are_not_cut(tmp_path: Path, land: ModelServer) -> None:
    land.delay = 0.02
    # 8 dev and 6 train rows, and then reasons for errors, side by side, of which two fit.
    calls, steps, tested = capped(tmp_path, land, "out", "apo-original", {"max_calls": 16})
    assert (calls, steps, tested) == (16, 0, 10)
    assert land.stats.finished == land.stats.calls == 16 + 10


@pytest.mark.parametrize("cap", [{"max_calls": 7}, {"max_tokens": 50}])
def test_a_budget_under_the_start_prompt_s_score_is_one_line(
    tmp_path: Path, land: ModelServer, cap: dict[str, int]
) -> None:
    sections: dict[str, Any] = {"tasks": ONE, "methods": ["ape"], "seeds": [0], "base": LONG}
    suite = write_suite(tmp_path, land.base_url, **sections, budget={"equal": True, **cap})
    _, (result,) = bench(suite, tmp_path / "out")
    assert result.status == "failed"
    assert "does not cover scoring the start prompt on dev" in result.reason


def test_tokens_that_no_server_tells_cannot_be_capped(tmp_path: Path, land: ModelServer) -> None:
    land.with_usage = False
    sections: dict[str, Any] = {"tasks": ONE, "methods": ["ape"], "seeds": [0], "base": LONG}
    suite = write_suite(tmp_path, land.base_url, **sections, budget={"equal": True, "max_tokens": 1000})
    _, (result,) = bench(suite, tmp_path / "out")
    assert result.status == "failed"
    assert "the server of models.task tells no token counts" in result.reason


@pytest.mark.parametrize("method", ["ape", "sgdm", "pe2-original"])
def test_where_it_ends_does_not_hang_on_the_order_of_answers(
    tmp_path: Path, land: ModelServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    base = {**LONG, **({} if method.endswith("original") else {"evaluation": "racing"})}
    sections: dict[str, Any] = {"tasks": ONE, "methods": [method], "seeds": [0], "base": base}
    for name, concurrency in (("slow", 1), ("fast", 16)):
        monkeypatch.setenv("GPO_HOME", str(tmp_path / f"home-{name}"))
        suite = write_suite(
            tmp_path, land.base_url, **sections, budget={"equal": True, "max_calls": 200, "max_tokens": 5000}
        )
        roles = [f"models.land.{role}.concurrency={concurrency}" for role in ("task", "optimizer")]
        bench(suite, tmp_path / name, *roles)
        land.delay = 0.002
    found = []
    for name in ("slow", "fast"):
        (run_dir,) = [path.name for path in (tmp_path / name).glob(f"*-{method}-*")]
        outcome = read_outcome(run_dir, tmp_path / name)
        assert outcome is not None
        assert len(outcome.steps) > 1
        found.append((outcome.steps, outcome.best_prompt, outcome.rows, outcome.calls, outcome.tokens))
    assert found[0] == found[1]


def test_the_page_says_what_an_equal_budget_is(tmp_path: Path, land: ModelServer) -> None:
    for cap, told, passed in (
        ({"max_calls": 1000}, "finish within 1,000 calls, answers", False),
        ({"max_calls": 1000, "max_tokens": 9000}, "within 1,000 calls and 9,000 tokens, answers", True),
    ):
        capped(tmp_path, land, f"out{len(cap)}", "ape", cap)
        page = (tmp_path / f"out{len(cap)}" / "table.md").read_text()
        assert told in page
        assert ("tokens may have passed the cap" in page) == passed
    capped(tmp_path, land, "free", "ape", {})
    assert "Equal budget" not in (tmp_path / "free" / "table.md").read_text()
