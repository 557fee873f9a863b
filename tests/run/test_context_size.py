"""The context that an engine is given: what a run really sends fits into it."""

from __future__ import annotations

from typing import Any

import pytest

from gpo.config.load import parse_config
from gpo.run.estimate.context_size import engine_needs
from gpo.task.task import Task

LABELS = {"kind": "label", "labels": ["left", "right"]}
LONG = "wood " * 2_400
"""12,000 characters."""


def task(**options: Any) -> Task:
    rows = {
        split: [
            {"input": f"{split} {i}: which way?", "target": "left", "context": f"{LONG}{split} {i}"}
            for i in range(4)
        ]
        for split in ("train", "dev", "test")
    }
    return Task.from_rows(rows, **{"answer": LABELS, **options})


def longest(of: Task, prompt: str, **sections: Any) -> int:
    """Tokens that the task model's engine is told, for a reply of 20."""
    model = {"base_url": "http://localhost:1", "max_tokens": 20}
    config = parse_config(
        {
            "task": {"data": "python:rows"},
            "prompt": prompt,
            "models": {"task": {"model": "a", **model}, "optimizer": {"model": "b", **model}},
            **sections,
        }
    )
    found = engine_needs(config, of, prompt)["task"].longest
    assert found is not None
    return found


def sent(of: Task, prompt: str) -> int:
    """Bytes of the longest request that `prompt` makes, with the texts of both rounds."""
    sizes = []
    for example in (*of.splits.train, *of.splits.dev, *of.splits.test):
        opening = of.opening(prompt, example)
        text = of.closing(opening, "") or opening
        parts = [text] if isinstance(text, str) else [message.content for message in text]
        sizes.append(sum(len(part.encode()) for part in parts))
    return max(sizes)


def test_a_column_that_the_prompt_names_counts() -> None:
    of = task()
    assert longest(of, "Read {context} and answer.") > 12_000 / 2
    assert longest(of, "Answer.") < 2_000, "and one that it does not name does not"


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("demonstrations", [0, 3])
@pytest.mark.parametrize(
    "position", ["before_question", "question_begin", "question_end", "answer_begin", "system"]
)
@pytest.mark.parametrize("words", [[], ["{context}"], ["{context}", "{input}"]], ids=len)
def test_the_longest_candidate_fits(position: str, demonstrations: int, chat: bool, words: list[str]) -> None:
    of = task(position=position, demonstrations=demonstrations, chat=chat)
    prompt = " ".join(["Look", *words])
    # 200 words are allowed; these have 7 letters and a space, as many bytes as a word is taken for.
    candidate = " ".join([*words, *["walnuts"] * (200 - len(words))])
    assert longest(of, prompt) >= sent(of, candidate) / 2 + 20


def test_demonstrations_repeat_the_prompt() -> None:
    prompt = "Look and answer. " * 200
    one, four = (longest(task(demonstrations=n), prompt) for n in (0, 3))
    assert four - one >= 3 * len(prompt) / 2


def test_the_second_round_counts_with_its_request() -> None:
    labels = [f"label number {i}" for i in range(150)]
    one, two = (
        longest(task(answer={"kind": "label", "labels": ["left", *labels], "rounds": rounds}), "Look")
        for rounds in (1, 2)
    )
    assert two - one >= 100 + sum(map(len, labels)) / 2


def test_a_shared_engine_has_what_the_greedier_role_needs() -> None:
    of = task(demonstrations=3)
    model = {"model": "same", "base_url": "http://localhost:1"}
    config = parse_config({"task": {"data": "python:rows"}, "models": {"task": model, "optimizer": model}})
    needs = engine_needs(config, of, "Read {context}")
    assert needs["task"] == needs["optimizer"]
    assert (needs["task"].longest or 0) > 4 * 12_000 / 2
