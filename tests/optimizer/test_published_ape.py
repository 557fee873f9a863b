"""APE's protocol as it looks from outside: calls, what they hold, estimates, the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.optimizer.published_runs import Optimizer, Ran, run, task

SHORT = {"name": "ape-original", "samples": 6, "rewrites": 6, "rounds": 2}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run("ape-original", tmp_path_factory.mktemp("ape") / "run")


def test_induction_is_three_sets_of_five_demonstrations_and_thirty_samples(ran: Ran) -> None:
    calls = ran.requests("induction")
    assert len(calls) == 3
    assert {len(call.reply.texts) for call in calls} == {30}
    assert {(call.request.temperature, call.request.max_tokens) for call in calls} == {(0.9, 50)}
    texts = ran.texts("induction")
    assert len(set(texts)) == 3
    for text in texts:
        assert text.count("Input: train number") == 5
        assert text.count("Output: ") == 5
        assert "Say red or blue" not in text
        assert "dev number" not in text


def test_each_new_prompt_is_run_on_the_same_twenty_dev_rows(ran: Ran) -> None:
    step = ran.steps[0]
    assert len(step["candidates"]) == 90
    kept = [item for item in step["candidates"] if item["rejected"] is None]
    assert len({" ".join(item["prompt"].split()) for item in kept}) == len(kept)
    assert step["candidates_scored"] == len(kept)
    full = [item["prompt"] for item in kept if item["score"] is not None]
    assert full == [step["prompt"]]
    assert ran.scored(full[0]) == 30
    others = [item["prompt"] for item in kept if item["prompt"] != full[0]]
    assert {ran.scored(prompt) for prompt in others[:20]} == {20}


def test_the_best_estimate_is_rewritten_and_the_best_kept(ran: Ran) -> None:
    assert ran.purposes() == {"induction": 3, "paraphrase": 3}
    best = ""
    for number, step in ran.steps.items():
        if number:
            call = ran.requests("paraphrase")[number - 1]
            assert best in call.request.messages[-1].content
            assert (call.request.n, call.request.temperature) == (30, 0.7)
        estimates = [value for value in step["estimates"] if value is not None]
        assert step["prompt"] == best or max(estimates) == max(
            estimate
            for item, estimate in zip(step["candidates"], step["estimates"], strict=True)
            if item["prompt"] == step["prompt"] and estimate is not None
        )
        best = step["prompt"]
    assert ran.result.scores.best.dev is not None
    assert ran.result.scores.initial.dev == pytest.approx(0.3)
    assert ran.result.scores.best.dev > 0.3


def test_no_rounds_is_induction_alone(tmp_path: Path) -> None:
    ran = run({"name": "ape-original", "rounds": 0, "samples": 4}, tmp_path / "run")
    assert ran.purposes() == {"induction": 3}
    assert len(ran.steps) == 1


def test_the_bandit_keeps_to_its_budget(tmp_path: Path) -> None:
    method = {
        "name": "ape-original",
        "selection": "ucb",
        "rounds": 0,
        "bandit_rounds": 3,
        "bandit_prompts": 7,
        "bandit_samples": 5,
    }
    ran = run(method, tmp_path / "run")
    (step,) = ran.steps.values()
    played = sum(estimate is not None for estimate in step["estimates"])
    # No prompt is played twice while there are others.
    assert played == 3 * 7
    # 105 pairs of the bandit; the initial and the best prompt on all of dev and, at the end, on test.
    asked = len(ran.requests("score"))
    assert asked <= 105 + 2 * 30 + 2 * 10
    assert asked >= 105 + 30 + 2 * 10


def test_small_data_and_replies_that_are_no_prompts(tmp_path: Path) -> None:
    def useless(text: str, n: int) -> list[str]:
        return ["<START><END>"] * n

    ran = run("ape-original", tmp_path / "run", optimizer=useless, data=task(train=3, dev=4, test=1))
    assert ran.result.best_prompt == ran.result.initial_prompt
    assert {item["rejected"] for item in ran.steps[0]["candidates"]} == {"empty"}
    assert ran.purposes() == {"induction": 3}


def test_two_runs_are_equal_and_a_replay_asks_nothing(tmp_path: Path) -> None:
    first = run(SHORT, tmp_path / "a")
    assert run(SHORT, tmp_path / "b").steps == first.steps
    assert run(SHORT, tmp_path / "c", seed=1).steps != first.steps
    (tmp_path / "a" / "result.json").unlink()
    again = run(SHORT, tmp_path / "a", optimizer=Optimizer())
    assert again.asked == 0
    assert again.result.steps == first.result.steps
