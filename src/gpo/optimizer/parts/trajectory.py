"""Trajectory, the analogue of momentum: which earlier prompts the optimizer is shown beside the current one.

Paper: Update Direction, Analogical Momentum; the rows of Table 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gpo.optimizer import scale as scales
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, Sizes
from gpo.optimizer.scale import Scale
from gpo.optimizer.state import Step, Visited


@dataclass(frozen=True, slots=True)
class Shown:
    """What the meta-prompt shows of the past: `earlier` points in the order of showing, without the current prompt
    (which follows them, or leads where `current_first`), or a `summary` in their place."""

    earlier: tuple[Visited, ...] = ()
    summary: str | None = None
    current_first: bool = False


class Trajectory(Protocol):
    """An option of this part. One object serves one run and may remember what earlier steps told it."""

    async def show(self, step: Step) -> Shown:
        """What of `step.visited` the meta-prompt shows. Called once a step, in the order of the steps."""


class NoTrajectory:
    """Only the current prompt."""

    async def show(self, step: Step) -> Shown:
        """Nothing of the past."""
        return Shown()

    def calls(self, total: int, sizes: Sizes) -> Calls:
        """Nothing."""
        return Calls()


@dataclass(frozen=True, slots=True)
class Recency:
    """The k nearest points in time, oldest first; the current prompt is one of the k.

    `descending` is the order of the authors' released code: newest first.
    """

    k: int = 3
    descending: bool = False

    async def show(self, step: Step) -> Shown:
        """The k − 1 points before the current one."""
        return _ordered(step.visited[-self.k : -1] if self.k > 1 else (), self.descending)

    def calls(self, total: int, sizes: Sizes) -> Calls:
        """No call; k − 1 earlier prompts in every meta-prompt."""
        return Calls(shown=PromptContent(prompts=self.k - 1))


@dataclass(frozen=True, slots=True)
class Importance:
    """k points: the current prompt in its own place, and those with the highest dev score of the others, best last;
    among equals the later one counts as better.

    `descending` is the order of the authors' released code: best first, behind the current prompt.
    """

    k: int = 3
    descending: bool = False

    async def show(self, step: Step) -> Shown:
        """The k − 1 best points beside the current one."""
        others = sorted(step.visited[:-1], key=lambda point: (point.score, point.step))
        return _ordered(others[-(self.k - 1) :] if self.k > 1 else (), self.descending)

    def calls(self, total: int, sizes: Sizes) -> Calls:
        """No call; k − 1 earlier prompts in every meta-prompt."""
        return Calls(shown=PromptContent(prompts=self.k - 1))


@dataclass(frozen=True, slots=True)
class Relevance:
    """The k points most similar to the current prompt by the cosine of their embeddings, most similar last; the
    current prompt, most similar to itself, is one of the k (paper, The Design of Meta-Prompt).

    `descending` is the order of the authors' released code: the current prompt first, then the most similar.
    """

    k: int = 3
    descending: bool = False

    async def show(self, step: Step) -> Shown:
        """The k − 1 most similar earlier points."""
        earlier = list(step.visited[:-1])
        if self.k == 1 or not earlier:
            return Shown(current_first=self.descending)
        vectors = await step.workbench.embed([point.prompt for point in step.visited])
        current = vectors[-1]
        similarity = {
            point.step: _dot(vector, current) for point, vector in zip(earlier, vectors, strict=False)
        }
        nearest = sorted(earlier, key=lambda point: (similarity[point.step], point.step))[-(self.k - 1) :]
        return _ordered(nearest, self.descending)

    def calls(self, total: int, sizes: Sizes) -> Calls:
        """No call of a model; k − 1 earlier prompts in every meta-prompt."""
        return Calls(shown=PromptContent(prompts=self.k - 1))


@dataclass(slots=True)
class Summarization:
    """One text in place of the past: the summary of the last step and the result of this one, merged by the optimizer
    model at temperature 0. The first step has nothing to merge yet. Scores are shown in `scale`, as the meta-prompt
    shows them; None is the number as it is, from 0 to 1."""

    scale: Scale | None = "percent"
    _last: str | None = field(default=None, init=False)

    async def show(self, step: Step) -> Shown:
        """The merged summary, None at the first step."""
        bench = step.workbench
        told = step.current.information
        present = bench.templates.render(
            "result", entry=scales.scale_information(told, self.scale) if self.scale else told
        )
        if self._last is None:
            self._last = present
            return Shown()
        scale = scales.RANGES[self.scale] if self.scale and told.score is not None else None
        text = bench.templates.render("summary", previous=self._last, present=present, scale=scale)
        self._last = await bench.ask(text, step=step.number, purpose="summary")
        return Shown(summary=self._last)

    def calls(self, total: int, sizes: Sizes) -> Calls:
        """One merge a step, counting the first, which has nothing to merge yet: of the last summary and the current
        prompt with its reflection."""
        merged = PromptContent(prompts=1, reply_tokens=2 * sizes.max_tokens)
        merges = OptimizerCalls(total, 1, sizes.max_tokens, merged)
        return Calls(optimizer=(merges,), shown=PromptContent(reply_tokens=sizes.max_tokens))


def trajectory(name: str, *, k: int = 3, descending: bool = False, scale: Scale = "percent") -> Trajectory:
    """A new object of the option called `name` in a configuration; `scale` is that of the meta-prompt's scores."""
    options: dict[str, Callable[[], Trajectory]] = {
        "none": NoTrajectory,
        "summarization": lambda: Summarization(scale),
        "recency": lambda: Recency(k, descending),
        "relevance": lambda: Relevance(k, descending),
        "importance": lambda: Importance(k, descending),
    }
    return options[name]()


def _ordered(ascending: Sequence[Visited], descending: bool) -> Shown:
    return Shown(tuple(reversed(ascending) if descending else ascending), current_first=descending)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
