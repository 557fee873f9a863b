"""A run as a report sees it: its steps, their candidates, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gpo.config.plus import PlusConfig
from gpo.result.result import Result

Status = Literal["running", "complete", "budget", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """One reply of the optimizer model. `score` is the dev mean in 0..1, None where `rejected` says why not or where
    only an `estimate` over a part of dev was made, of `estimate_rows` examples where that is known."""

    step: int
    index: int
    prompt: str
    raw: str
    parent: str
    distance: int | None
    attempt: int
    rejected: str | None
    score: float | None
    estimate: float | None
    estimate_rows: int | None
    chosen: bool

    @property
    def name(self) -> str:
        """ "STEP.INDEX", by which the page finds it."""
        return f"{self.step}.{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One finished step; scores are dev means in 0..1, distances in words, `number` counts from 0."""

    number: int
    total: int | None
    limit: int | None
    parent: str
    parent_score: float | None
    chosen: str
    chosen_score: float | None
    best_score: float | None
    distance: int | None
    reflection: str | None
    summary: str | None
    trajectory: tuple[Mapping[str, Any], ...]
    meta_prompt: tuple[Mapping[str, Any], ...]
    candidates: tuple[CandidateView, ...]
    part: str | None = None
    """The name of the prompt that the step changed, where there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run at one moment. `result` is None until a process has come to an end of any kind."""

    path: Path
    name: str
    status: Status
    config: Mapping[str, Any]
    result: Result | None
    initial_prompt: str
    initial_dev: float | None
    best_prompt: str
    best_dev: float | None
    steps: tuple[StepView, ...]
    seconds: float
    started: float | None
    failures: tuple[str, ...] = ()
    retries: int = 0
    reply_warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    contributions: tuple[str, ...] = ()
    """What each part of a search by gpo+ brought, a line a part."""

    @property
    def method(self) -> str:
        """The method's name, or its parts where it has none."""
        method = self.config.get("method", "")
        if isinstance(method, Mapping):
            return _describe_method(method)
        return " · ".join(map(str, method)) if isinstance(method, list | tuple) else str(method)

    @property
    def task(self) -> str:
        """Where the data came from."""
        data = self.config.get("task", {}).get("data", "")
        text = next(iter(data.values()), "") if isinstance(data, Mapping) else str(data)
        return text.removeprefix("python:")

    @property
    def total(self) -> int | None:
        """Steps planned, where a step has said so."""
        return next((step.total for step in reversed(self.steps) if step.total), None)

    def first_steps(self) -> dict[str, int | None]:
        """The text of every scored prompt to the step that brought it up, None for the initial one."""
        found: dict[str, int | None] = {self.initial_prompt: None}
        for item in (item for step in self.steps for item in step.candidates):
            if item.rejected is None:
                found.setdefault(item.prompt, item.step)
        return found

    def chosen_prompts(self) -> list[str]:
        """The initial prompt, every prompt that became current, and the best one, each once, in their order."""
        return list(dict.fromkeys([self.initial_prompt, *(s.chosen for s in self.steps), self.best_prompt]))


def _describe_method(method: Mapping[str, Any]) -> str:
    """The parts of the search, or the name of gpo+ with what is not as usual."""
    if "name" not in method:
        return " · ".join(str(part) for part in method.values())
    usual = PlusConfig().model_dump()
    told = [str(method["name"])]
    for key, value in method.items():
        if value != usual.get(key, value):
            told.append(
                f"{'with' if value else 'without'} {key}" if isinstance(value, bool) else f"{key} {value}"
            )
    return " · ".join(told)
