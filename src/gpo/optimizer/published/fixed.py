"""Methods that only evaluate: the empty prompt and "Let's think step by step." Knows the scorer and no optimizer."""

from __future__ import annotations

from gpo.optimizer.published.base import Original
from gpo.optimizer.search import StepRecord

PROMPTS = {"empty": "", "cot": "Let's think step by step."}
"""The prompt of each method, in place of the configuration's (Kojima et al. 2022, arXiv 2205.11916, for `cot`)."""


class Fixed(Original):
    """No step at all: the initial prompt is scored, and is the answer."""

    async def step(self, number: int, initial: str) -> StepRecord:
        """There is none."""
        raise AssertionError("a method that only evaluates takes no step")
