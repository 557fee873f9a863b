"""Whole runs with a scripted model, for meta-prompts that a person reads: sensible prompts, scores that differ.

Everything is a pure function of what is asked. Knows the texts of meta-prompts by a few words only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.model import embedder
from gpo.task.task import Task

PROMPTS = (
    "Let's work through the question one step at a time.",
    "Read the question twice, then reason about it in small steps.",
    "Think about what is asked, and write down each step before you decide.",
    "Let's think step by step and check the result at the end.",
    "List what is known first. Then work out what is asked.",
    "Take a careful look at every detail, and explain how you come to your answer.",
    "Break the question into parts, solve each of them, and put the results together.",
    "Answer like an expert who shows every step.",
)
PROBLEMS = "It does not say what to look at first, and it lets the model skip steps."
SUMMARY = "Prompts that ask for steps did better than those that only ask to be careful."

# Ours, in the form of GSM8K's rows.
WORD_PROBLEMS = [
    (f"{name} buys {n} boxes with {k} pencils each and gives {g} pencils away. How many are left?", n * k - g)
    for n, (name, k, g) in enumerate(
        [
            ("Rosa", 6, 4),
            ("Tom", 5, 3),
            ("Ana", 7, 9),
            ("Ben", 8, 2),
            ("Lea", 4, 5),
            ("Max", 9, 7),
            ("Ida", 3, 8),
            ("Udo", 6, 6),
            ("Eva", 5, 9),
            ("Jan", 7, 4),
        ]
        * 4,
        start=3,
    )
]


def rows(task: str) -> dict[str, list[dict[str, Any]]]:
    """24 train, 8 dev and 2 test rows of `task`."""
    from gpo.task.builtin import load

    if task != "gsm8k":
        return load(task, seed=0, split={"train": 24, "dev": 8, "test": 2})[0]
    made = [{"input": question, "target": target} for question, target in WORD_PROBLEMS]
    return {"train": made[:24], "dev": made[24:32], "test": made[32:34]}


def write(folder: Path, splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """The rows as split files in `folder`."""
    folder.mkdir(parents=True)
    for name, part in splits.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return folder


class Scripted:
    """Both models; `meta_prompts` are the chats that asked for candidates, in their order."""

    def __init__(self, splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self._targets = {str(row["input"]): str(row["target"]) for part in splits.values() for row in part}
        self.meta_prompts: list[str] = []

    async def __call__(
        self, messages: Sequence[Mapping[str, str]], seed: int | None = None, n: int = 1
    ) -> list[str]:
        text = messages[-1]["content"]
        if "<START>" in text:
            self.meta_prompts.append(text)
            first = _number(text) % len(PROMPTS)
            return [f"<START>{PROMPTS[(first + i) % len(PROMPTS)]}<END>" for i in range(n)]
        if "Name the problems" in text:
            return [PROBLEMS]
        if "Summarize in at most" in text:
            return [SUMMARY]
        asked = "\n".join(message["content"] for message in messages)
        question = max((known for known in self._targets if known in asked), key=len)
        # A fixed half of all pairs of prompt and question is answered rightly.
        right = _number(messages[0]["content"]) % 2 == 0
        return [self._targets[question] if right else "no idea"]


class Words:
    """An embedder for which texts are alike that share words."""

    name = "shared words"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [_vector(text) for text in texts]


def run(
    monkeypatch: pytest.MonkeyPatch, task: Task | dict[str, Any], model: Scripted, **changes: Any
) -> list[str]:
    """A run of 3 steps from "Let's think step by step."; returns the meta-prompts of its steps."""

    async def opened(prefer: str | None = None) -> Words:
        return Words()

    monkeypatch.setattr(embedder, "open_embedder", opened)
    optimize = {"epochs": 1, "batch_size": 8, "candidates": 2, "resamples": 0}
    gpo.optimize(task, models={"task": model, "optimizer": model}, optimize=optimize, **changes)
    return model.meta_prompts


def _vector(text: str) -> list[float]:
    values = [0.0] * 64
    for word in text.lower().split():
        values[_number(word) % 64] += 1.0
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest())
