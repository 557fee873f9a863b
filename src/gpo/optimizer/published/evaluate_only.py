"""Methods that only evaluate a prompt: `empty`, and `cot` ("Let's think step by step.")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpo.optimizer.calls import Calls, RowUse, Sizes
from gpo.optimizer.candidates import Guard
from gpo.optimizer.search import Listener, SearchResult, StepRecord
from gpo.optimizer.skeleton import DevScores
from gpo.optimizer.workbench import Workbench

PROMPTS = {"empty": "", "cot": "Let's think step by step."}
"""The prompt of each method, in place of the configuration's (Kojima et al. 2022, arXiv 2205.11916, for `cot`)."""


class FixedAnswer:
    """No step: the initial prompt and `answer` are scored on dev, and `answer` is the best (None: the initial one)."""

    total = 0
    pairs_a_step = 0

    def __init__(self, bench: Workbench, answer: str | None = None) -> None:
        self.steps: tuple[StepRecord, ...] = ()
        self._dev = DevScores(bench.scorer)
        self._answer = answer

    @property
    def best(self) -> str:
        """The answer."""
        return self._dev.best if self._answer is None else self._answer

    @property
    def told(self) -> Mapping[str, object]:
        """Nothing."""
        return {}

    @property
    def warnings(self) -> Sequence[str]:
        """None."""
        return ()

    def knows(self, prompt: str) -> bool:
        """Whether `prompt` was scored."""
        return prompt in self._dev

    def mean(self, prompt: str) -> float:
        """Dev score in 0..1 of a prompt that was scored."""
        return self._dev.mean(prompt)

    async def run(self, initial: str) -> SearchResult:
        """Score both. Raises what the models raise."""
        answer = initial if self._answer is None else self._answer
        await self._dev.score(list(dict.fromkeys([initial, answer])))
        return SearchResult(initial, answer, (), "nothing to optimize")


@dataclass(frozen=True, slots=True)
class EvaluateOnly:
    """The method `name`, which scores `prompt` in place of the configuration's."""

    name: str
    prompt: str

    @property
    def needs_readable_start(self) -> bool:
        """There is no step to stop before."""
        return False

    def open(self, bench: Workbench, guard: Guard, listener: Listener | None) -> FixedAnswer:
        """A new evaluation."""
        return FixedAnswer(bench)

    def calls(self, sizes: Sizes) -> Calls:
        """The prompt on every dev row, once."""
        return Calls(dev=RowUse((1,) * sizes.dev))
