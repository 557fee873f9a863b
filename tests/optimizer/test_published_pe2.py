"""PE2's protocol as it looks from outside: the chat of two steps, hard batches, backtracking, the options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.optimizer.published_runs import START, Optimizer, Ran, answer, run


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run("pe2-original", tmp_path_factory.mktemp("pe2") / "run")


def test_three_rounds_of_four_proposals_for_a_beam_of_four(ran: Ran) -> None:
    assert len(ran.steps) == 3
    assert [len(step["candidates"]) for step in ran.steps.values()] == [4, 16, 16]
    assert ran.purposes() == {"inspection": 36, "candidates": 36}
    inspections = {(call.request.temperature, call.request.max_tokens) for call in ran.requests("inspection")}
    rewrites = {(call.request.temperature, call.request.max_tokens) for call in ran.requests("candidates")}
    assert (inspections, rewrites) == ({(0.5, 1500)}, {(0.7, 300)})


def test_the_rewrite_goes_on_with_the_chat_of_the_inspection(ran: Ran) -> None:
    inspections = {call.request.messages: call.reply.text for call in ran.requests("inspection")}
    for call in ran.requests("candidates"):
        first, reasoning, second = call.request.messages
        assert (first.role, reasoning.role, second.role) == ("user", "assistant", "user")
        assert (first,) in inspections
        assert "fewer than 50 words" in second.content
        assert "Change at most" not in second.content
        assert "accuracy" not in second.content


def test_a_proposal_looks_at_two_failures(ran: Ran) -> None:
    for text in ran.texts("inspection"):
        shown = re.findall(r"Input: train number \d+\nOutput of the model: (\w+)\nLabel: (\w+)", text)
        assert len(shown) == 2
        assert all(output != label for output, label in shown)
        assert "\n<input>\n" in text
        assert text.count("Must the prompt be edited") == 1


def test_train_is_walked_only_until_there_are_failures_enough(ran: Ran) -> None:
    asked = [
        call
        for call in ran.requests("score")
        if "train number" in call.request.messages[-1].content
        and call.request.messages[-1].content.endswith(f"\n{START}")
    ]
    # 4 failures are wanted; the initial prompt is wrong on 7 of 10 rows, and 8 rows are asked at once.
    assert len(asked) == 8


def test_the_beam_comes_from_all_earlier_prompts(ran: Ran) -> None:
    score = {START: ran.result.scores.initial.dev or 0}
    for step in ran.steps.values():
        beam = list(dict.fromkeys(item["parent"] for item in step["candidates"]))
        assert beam == sorted(score, key=lambda prompt: -score[prompt])[:4]
        score |= {item["prompt"]: item["score"] for item in step["candidates"] if item["rejected"] is None}
    assert ran.result.scores.best.dev == max(score.values()) > 0.3


def test_without_backtracking_the_beam_is_of_the_last_round(tmp_path: Path) -> None:
    ran = run({"name": "pe2-original", "backtracking": False}, tmp_path / "run")
    last = {START}
    for step in ran.steps.values():
        assert {item["parent"] for item in step["candidates"]} <= last
        last = {item["prompt"] for item in step["candidates"] if item["rejected"] is None}


def test_step_size_and_history(tmp_path: Path) -> None:
    method = {"name": "pe2-original", "step_size": 10, "history": True, "max_words": None, "rounds": 2}
    ran = run(method, tmp_path / "run")
    assert ran.purposes()["history"] == ran.purposes()["candidates"] == 20
    rewrites = ran.texts("candidates")
    assert all("Change at most 10 words" in text for text in rewrites)
    assert not any("fewer than" in text for text in rewrites)
    first = [text for text in rewrites if START in text and "Step 1:" not in text]
    assert first
    assert all("After step 0, the accuracy on train was" in text for text in first)
    later = [text for text in rewrites if "Step 1:" in text]
    assert later
    assert all("After step 1, the accuracy on train was" in text for text in later)


def test_it_stops_when_dev_cannot_get_better(tmp_path: Path) -> None:
    def better(messages: Any) -> str:
        return "<START>amber birch cedar delta<END>"

    def model(text: str) -> str:
        row = int(re.findall(r"number (\d+)", text)[0])
        return ("red", "blue")[row % 2] if "amber" in text else answer(text)

    ran = run("pe2-original", tmp_path / "run", optimizer=better, task_model=model)
    assert len(ran.steps) == 1
    assert ran.result.scores.best.dev == 1


def test_a_prompt_without_failures_on_train_is_not_expanded(tmp_path: Path) -> None:
    def right_on_train(text: str) -> str:
        row = int(re.findall(r"number (\d+)", text)[0])
        wrong = "dev" in text and row % 3 == 0
        return ("red", "blue")[1 - row % 2 if wrong else row % 2]

    ran = run("pe2-original", tmp_path / "run", task_model=right_on_train)
    assert ran.purposes() == {}
    assert ran.result.best_prompt == START


def test_two_runs_are_equal_and_a_replay_asks_nothing(tmp_path: Path) -> None:
    first = run("pe2-original", tmp_path / "a")
    assert run("pe2-original", tmp_path / "b").steps == first.steps
    (tmp_path / "a" / "result.json").unlink()
    again = run("pe2-original", tmp_path / "a", optimizer=Optimizer())
    assert again.asked == 0
    assert again.result.steps == first.result.steps
