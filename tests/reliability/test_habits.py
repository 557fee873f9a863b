"""Endpoints with habits of their own: the result is the plain endpoint's, and no finished call was paid twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gpo.model import embedder
from gpo.optimizer.methods import METHODS
from gpo.run.evaluate import evaluate_prompt
from tests.support.landscape import Landscape

from .habits import THINKING, WORDS, HabitServer, seedless
from .support import configuration, plan, run, timeless

HABITS: dict[str, dict[str, Any]] = {
    **{f"no {name}, {words}": {"lacks": frozenset({name}), "words": words}
       for name in ("n", "max_tokens") for words in ("place", "silent")},
    **{f"no max_tokens, {words}": {"lacks": frozenset({"max_tokens"}), "words": words} for words in WORDS},
    "no temperature": {"lacks": frozenset({"temperature"}), "words": "unknown"},
    "quota of a minute": {"minute": True},
    "another word for the end": {"finish": "end_turn"},
    **{f"thinks, {shape}": {"thinks": shape} for shape in THINKING},
    "all at once": {"lacks": frozenset({"n", "max_tokens", "temperature", "system"}), "thinks": "closing",
                    "minute": True, "finish": "STOP"},
}  # fmt: skip
SEEDLESS: dict[str, dict[str, Any]] = {
    **{f"no seed, {words}": {"lacks": frozenset({"seed"}), "words": words} for words in WORDS},
    "no seed and more": {
        "lacks": frozenset({"seed", "max_tokens", "temperature"}),
        "thinks": "think",
        "minute": True,
    },
}
PUBLISHED: dict[str, dict[str, Any]] = {
    "ape-original": {"subsets": 2, "samples": 3, "examples": 4, "rounds": 1, "rewrites": 2},
    "apo-original": {
        "rounds": 1,
        "beam": 2,
        "minibatch": 4,
        "groups": 2,
        "errors": 2,
        "expansion": 3,
        "bandit_rounds": 2,
        "bandit_prompts": 3,
        "bandit_samples": 4,
    },
    "opro-original": {"steps": 2, "samples": 3, "threshold": 0},
    "pe2-original": {"rounds": 1, "beam": 2, "proposals": 2},
}
SETTINGS: dict[str, Any] = {
    **{name: name for name in METHODS},
    **{name: {"name": name, **sizes} for name, sizes in PUBLISHED.items()},
    "gpo+": {"name": "gpo+", "budget": 60},
}  # fmt: skip
"""Every method, of the smallest size."""


class Letters:
    """An embedder that loads nothing: how often each of the first letters stands in a text."""

    name = "letters"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        counts = [[1.0, *(float(text.count(letter)) for letter in "abcdefgh")] for text in texts]
        return [[value / sum(x * x for x in row) ** 0.5 for value in row] for row in counts]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))

    async def opened(prefer: str | None = None) -> Letters:
        return Letters()

    monkeypatch.setattr(embedder, "open_embedder", opened)


def outcome(result: Any) -> dict[str, Any]:
    """What must not depend on the endpoint's habits."""
    data = timeless(result)
    return {key: data[key] for key in ("status", "best_prompt", "scores", "improvement")}


async def optimized(
    folder: Path, name: str, sections: dict[str, Any], **habits: Any
) -> tuple[Any, HabitServer]:
    with HabitServer(**{"answer": Landscape().answer, **habits}) as server:
        result = await run(server, folder, name, **sections)
    # Without its seed a second round of sampling looks like the first.
    once = "seed" not in server.lacks
    assert not [key for key, count in server.charged.items() if count > 1 and once], "paid twice"
    return result, server


@pytest.mark.parametrize("habit", HABITS)
async def test_a_run_finds_what_it_finds_at_the_plain_endpoint(habit: str, tmp_path: Path) -> None:
    plain, _ = await optimized(tmp_path, "plain", {})
    found, server = await optimized(tmp_path, "other", {}, **HABITS[habit])
    assert outcome(found) == outcome(plain)
    lacks = HABITS[habit].get("lacks", frozenset()) - {"system"}
    told = found.extra.get("endpoints", {})
    assert {name for role in told.values() for name in role["left_out"]} == lacks
    assert server.stats.outcomes["refused"] <= 24, "what was found out is not tried again"


async def check_method(method: str, folder: Path, **habits: Any) -> None:
    sections = {"method": SETTINGS[method]}
    answer = {"answer": habits["answer"]} if "answer" in habits else {}
    plain, _ = await optimized(folder, "plain", sections, **answer)
    found, _ = await optimized(folder, "other", sections, **habits)
    assert outcome(found) == outcome(plain)
    assert plain.usage.optimizer.calls > 1


@pytest.mark.parametrize("method", SETTINGS)
async def test_every_method_works_with_all_habits_at_once(method: str, tmp_path: Path) -> None:
    await check_method(method, tmp_path, **HABITS["all at once"])


@pytest.mark.slow
@pytest.mark.parametrize("habit", [*HABITS, *SEEDLESS])
@pytest.mark.parametrize("method", SETTINGS)
async def test_every_method_works_with_every_habit(method: str, habit: str, tmp_path: Path) -> None:
    habits = HABITS[habit] if habit in HABITS else {**SEEDLESS[habit], "answer": seedless}
    await check_method(method, tmp_path, **habits)


@pytest.mark.parametrize("habit", SEEDLESS)
async def test_without_a_seed_a_run_goes_on_and_says_so(habit: str, tmp_path: Path) -> None:
    plain, _ = await optimized(tmp_path, "plain", {}, answer=seedless)
    found, server = await optimized(tmp_path, "other", {}, answer=seedless, **SEEDLESS[habit])
    assert outcome(found) == outcome(plain)
    assert "seed" in found.extra["endpoints"]["optimizer"]["left_out"]
    assert any("does not take seed" in line for line in found.extra["warnings"])
    assert server.stats.outcomes["refused"] <= 24


@pytest.mark.parametrize("habit", HABITS)
async def test_a_prompt_is_scored_as_at_the_plain_endpoint(habit: str, tmp_path: Path) -> None:
    scores = []
    for name, habits in (("plain", {}), ("other", HABITS[habit])):
        with HabitServer(answer=Landscape().answer, **habits) as server:
            found = await evaluate_prompt(plan(server, tmp_path / name), "Think about it", "test")
        scores.append(found.values)
        assert server.stats.models == {"task": 10, "optimizer": 1}
        assert set(server.charged.values()) == {1}
    assert scores[0] == scores[1]


@pytest.mark.parametrize("words", ["place", "silent"])
async def test_without_a_system_turn_the_prompt_stands_in_the_users(words: str, tmp_path: Path) -> None:
    task = {**configuration("http://x/v1", tmp_path)["task"], "position": "system"}
    plain, _ = await optimized(tmp_path, "plain", {"task": task})
    found, server = await optimized(
        tmp_path, "other", {"task": task}, lacks=frozenset({"system"}), words=words
    )
    assert outcome(found) == outcome(plain)
    assert found.extra["endpoints"]["task"] == {"left_out": ["system"]}
    assert any("task.position" in line for line in found.extra["warnings"])
    assert server.stats.outcomes["refused"] <= 24


async def test_one_flagged_row_is_left_out_and_the_run_goes_on(tmp_path: Path) -> None:
    # The row is one of dev (6 to 13); it may be the first call of all.
    result, server = await optimized(tmp_path, "run", {"model": {"concurrency": 1}}, flagged="Item 6:")
    assert result.status == "complete"
    assert result.extra["excluded_examples"]["dev"] == 1
    assert server.stats.outcomes["flagged"] > 0


async def test_what_is_sampled_against_the_configuration_is_kept_for_nobody(tmp_path: Path) -> None:
    with HabitServer(answer=Landscape().answer, lacks=frozenset({"temperature"})) as server:
        for _ in range(2):
            found = await evaluate_prompt(plan(server, tmp_path), "Think about it", "test")
            assert found.left_out == ("temperature",)
        assert server.stats.models["task"] == 20


async def test_cut_replies_are_kept_for_nobody_and_told(tmp_path: Path) -> None:
    with HabitServer(answer=lambda body: "one two three four five") as server:
        for _ in range(2):
            found = await evaluate_prompt(
                plan(server, tmp_path, model={"max_tokens": 3}), "Think about it", "test"
            )
        assert server.stats.models["task"] == 20
    (line,) = found.warnings
    assert line.startswith(
        "test: 10 of 10 replies were cut at models.task.max_tokens: 3; raise it; a typical reply"
    )
