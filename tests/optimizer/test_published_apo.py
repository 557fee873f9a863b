"""ProTeGi's protocol as it looks from outside: calls by purpose, what they show, the beam, the budget."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gpo.config.published import ApoConfig
from gpo.optimizer.published.apo import build_selection
from gpo.optimizer.published.bandit import BruteForce, SuccessiveHalving, SuccessiveRejects, Ucb
from tests.optimizer.published_runs import START, Optimizer, Ran, run, task

SHORT: dict[str, Any] = {"name": "apo-original", "rounds": 3}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(SHORT, tmp_path_factory.mktemp("apo") / "run", data=task(train=90, dev=40))


def test_published_numbers() -> None:
    assert build_selection(ApoConfig()) == Ucb(rounds=8, prompts=8, samples=32, c=1.0)
    assert build_selection(ApoConfig(selection="successive-rejects")) == SuccessiveRejects(2048)
    assert build_selection(ApoConfig(selection="successive-halving")) == SuccessiveHalving(2048)
    assert build_selection(ApoConfig(selection="brute-force")) == BruteForce(2048)
    assert (ApoConfig().rounds, ApoConfig().beam, ApoConfig().minibatch) == (6, 4, 64)


def test_a_prompt_gets_four_reasons_four_edits_and_ten_paraphrases(ran: Ran) -> None:
    beams = [1, *(min(4, 1 + len(kept(step))) for step in list(ran.steps.values())[:-1])]
    assert beams == [1, 4, 4]
    prompts = sum(beams)
    assert ran.purposes() == {"reflection": 4 * prompts, "candidates": 4 * prompts, "paraphrase": 5 * prompts}
    assert {call.request.n for call in ran.requests("paraphrase")} == {2}
    requests = [call.request for call in ran.calls if call.role == "optimizer"]
    assert {(request.temperature, request.max_tokens) for request in requests} == {(0.7, 1024)}
    # Equal calls in different places are different samples.
    assert len({(request.purpose, request.messages, request.seed) for request in requests}) == len(requests)


def test_a_group_is_four_errors_of_the_rounds_minibatch(ran: Ran) -> None:
    shown = [
        re.findall(r"Input: train number (\d+)\nAnswer of the model: (\w+)\nRight answer: (\w+)", text)
        for text in ran.texts("reflection")
    ]
    assert {len(errors) for errors in shown} == {4}
    assert all(answer != right for errors in shown for _, answer, right in errors)
    first = [text for text in ran.texts("reflection") if START in text]
    assert len(first) == 4
    # The initial prompt and the first beam are looked at on 64 rows each, the same for a whole beam.
    train = [call for call in ran.requests("score") if "train number" in call.request.messages[-1].content]
    assert sum(call.request.messages[-1].content.endswith(f"\n{START}") for call in train) >= 64
    assert ran.texts("candidates")[0].count("Right answer:") == 4
    assert all("The problem of the prompt is: " in text for text in ran.texts("candidates"))


def kept(step: Any) -> list[Any]:
    return [item for item in step["candidates"] if item["rejected"] is None]


def test_at_most_eight_new_prompts_of_each_parent_are_selected_from(ran: Ran) -> None:
    for number, step in ran.steps.items():
        parents: dict[str, int] = {}
        for item in kept(step):
            parents[item["parent"]] = parents.get(item["parent"], 0) + 1
        assert max(parents.values()) <= 8
        # 4 edits and 2 paraphrases of each and of the prompt: 14 replies a prompt.
        assert len(step["candidates"]) == 14 * (1 if number == 0 else 4)
        drawn = [
            item for item in step["candidates"] if item["rejected"] == "is not one of the 8 that were drawn"
        ]
        assert drawn


def test_the_beam_is_scored_on_the_whole_of_dev_and_the_best_is_the_answer(ran: Ran) -> None:
    full = {START: ran.result.scores.initial.dev}
    for step in ran.steps.values():
        new = {item["prompt"]: item["score"] for item in kept(step) if item["score"] is not None}
        assert len(new) <= 4
        full |= new
    best = max(value for value in full.values() if value is not None)
    assert ran.result.scores.best.dev == best
    assert full[ran.result.best_prompt] == best
    assert best > 0.3


@pytest.mark.parametrize("kind", ["ucb", "successive-rejects", "successive-halving", "brute-force"])
def test_every_selection_finds_better_prompts(tmp_path: Path, kind: str) -> None:
    method = {**SHORT, "rounds": 2, "selection": kind, "bandit_samples": 10}
    ran = run(method, tmp_path / "run")
    assert ran.result.scores.best.dev is not None
    assert ran.result.scores.best.dev >= 0.5


def test_a_prompt_without_errors_is_only_paraphrased(tmp_path: Path) -> None:
    def right_on_train(text: str) -> str:
        row = int(re.findall(r"number (\d+)", text)[0])
        wrong = "dev" in text and row % 3 == 0
        return ("red", "blue")[1 - row % 2 if wrong else row % 2]

    ran = run({**SHORT, "rounds": 1}, tmp_path / "run", task_model=right_on_train)
    assert ran.purposes() == {"paraphrase": 1}
    assert ran.steps[0]["reflection"] is None


def test_replies_that_are_no_prompts(tmp_path: Path) -> None:
    ran = run({**SHORT, "rounds": 2}, tmp_path / "run", optimizer=lambda text: "{{ 7 * 7 }} {0} %s")
    assert ran.result.status == "complete"
    assert "{{ 7 * 7 }} {0} %s" in {item["prompt"] for item in ran.steps[0]["candidates"]}
    silent = run({**SHORT, "rounds": 2}, tmp_path / "silent", optimizer=lambda text: "")
    assert silent.result.best_prompt == START


def test_two_runs_are_equal_and_a_replay_asks_nothing(tmp_path: Path) -> None:
    method = {**SHORT, "rounds": 2, "bandit_samples": 10}
    first = run(method, tmp_path / "a")
    assert run(method, tmp_path / "b").steps == first.steps
    (tmp_path / "a" / "result.json").unlink()
    again = run(method, tmp_path / "a", optimizer=Optimizer())
    assert again.asked == 0
    assert again.result.steps == first.result.steps
