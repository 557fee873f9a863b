"""OPRO's protocol as it looks from outside: the meta-prompt, the filters, the number of calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.config.published import OproConfig
from gpo.optimizer.published.opro import ScoredPrompt, select_shown
from tests.optimizer.published_runs import START, Optimizer, Ran, run

SHORT: dict[str, Any] = {"name": "opro-original", "steps": 12}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(SHORT, tmp_path_factory.mktemp("opro") / "run", optimizer=Optimizer(("<INS>", "</INS>")))


def test_published_numbers() -> None:
    settings = OproConfig()
    assert (settings.steps, settings.samples, settings.shown, settings.exemplars) == (200, 8, 20, 3)
    assert (settings.temperature, settings.threshold, settings.max_characters) == (1.0, 0.3, 500)


def test_the_twenty_best_are_shown_ascending_as_whole_numbers() -> None:
    scored = [(f"p{i}", i / 100) for i in range(60)]
    entries = select_shown(scored, 20, 0.3)
    assert [entry.score for entry in entries] == list(range(40, 60))
    assert select_shown([("a", 0.29), ("b", 0.3), ("c", 0.566), ("d", 0.3)], 20, 0.3) == [
        ScoredPrompt("b", 30),
        ScoredPrompt("d", 30),
        ScoredPrompt("c", 57),
    ]


def test_a_step_is_one_meta_prompt_and_eight_samples(ran: Ran) -> None:
    calls = ran.requests("candidates")
    assert len(calls) == 12
    assert {(len(call.reply.texts), call.request.temperature) for call in calls} == {(8, 1.0)}
    assert set(ran.purposes()) == {"candidates"}


def test_the_meta_prompt_shows_the_past_ascending_and_new_exemplars(ran: Ran) -> None:
    past: dict[str, float] = {START: ran.result.scores.initial.dev or 0}
    exemplars: list[tuple[str, ...]] = []
    for step in ran.steps.values():
        (message,) = step["meta_prompt"]
        text = message["content"]
        pairs = re.findall(r"Instruction: (.*)\nScore: (\d+)\n", text)
        scores = [int(score) for _, score in pairs]
        assert scores == sorted(scores)
        assert len(pairs) == min(20, sum(score >= 0.3 for score in past.values()))
        assert all(int(score) == round(100 * past[prompt]) for prompt, score in pairs)
        exemplars.append(tuple(re.findall(r"(train number \d+)\n<INS>\nRight answer: (?:red|blue)", text)))
        past |= {item["prompt"]: item["score"] for item in step["candidates"] if item["rejected"] is None}
    assert all(len(set(three)) == 3 for three in exemplars)
    assert len(set(exemplars)) > 6


def test_every_prompt_is_scored_once_on_the_whole_of_dev(ran: Ran) -> None:
    prompts = [
        item["prompt"]
        for step in ran.steps.values()
        for item in step["candidates"]
        if item["rejected"] is None
    ]
    assert len(prompts) == len(set(prompts)) > 50
    assert len(
        [call for call in ran.requests("score") if "dev number" in call.request.messages[-1].content]
    ) == (30 * (1 + len(prompts)))


def test_filters(tmp_path: Path) -> None:
    replies = {
        0: "<INS>amber birch</INS>",
        1: "<INS>amber  birch</INS>",
        2: f"<INS>{'a ' * 260}</INS>",
        3: "<INS>Follow the INSTRUCTION.</INS>",
        4: "<INS>Add 2 numbers.</INS>",
        5: "<INS>Say red or blue.</INS>",
        6: "cedar fern, no tags",
        7: "Sure: <INS>cedar ivy",
    }
    seeds: list[int] = []

    def optimizer(messages: Sequence[Mapping[str, str]], seed: int) -> str:
        seeds.append(seed)
        return replies[len(seeds) - 1]

    data = gpo.Task.from_rows(
        {
            "train": [{"input": f"train number {i}", "target": i} for i in range(9)],
            "dev": [{"input": f"dev number {i}", "target": i} for i in range(9)],
            "test": [{"input": "test number 1", "target": 1}],
        },
        answer={"kind": "number"},
    )
    method = {"name": "opro-original", "steps": 1}
    ran = run(method, tmp_path / "run", optimizer=optimizer, data=data, task_model=lambda text: "1")
    by_reply = {item["raw"]: item["rejected"] for item in ran.steps[0]["candidates"]}
    assert by_reply == {
        replies[0]: None,
        replies[1]: "is the same as an earlier prompt",
        replies[2]: "260 words, more than optimize.max_words (200)",
        replies[3]: "contains INS",
        replies[4]: "contains digits",
        replies[5]: "is the same as an earlier prompt",
        replies[6]: None,
        replies[7]: None,
    }
    assert {item["prompt"] for item in ran.steps[0]["candidates"]} >= {"cedar fern, no tags", "cedar ivy"}


@pytest.mark.parametrize(
    ("words", "reason"), [("a" * 501, "501 characters, more than 500"), ("Add 2 numbers.", None)]
)
def test_long_prompts_go_and_digits_stay_where_answers_are_words(
    tmp_path: Path, words: str, reason: Any
) -> None:
    method = {"name": "opro-original", "steps": 1, "samples": 1}
    ran = run(method, tmp_path / "run", optimizer=lambda text: words)
    assert [item["rejected"] for item in ran.steps[0]["candidates"]] == [reason]


def test_two_runs_are_equal_and_a_replay_asks_nothing(tmp_path: Path) -> None:
    first = run({**SHORT, "steps": 4}, tmp_path / "a")
    assert run({**SHORT, "steps": 4}, tmp_path / "b").steps == first.steps
    (tmp_path / "a" / "result.json").unlink()
    again = run({**SHORT, "steps": 4}, tmp_path / "a")
    assert again.asked == 0
    assert again.result.steps == first.result.steps
