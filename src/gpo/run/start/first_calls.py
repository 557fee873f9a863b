"""The first calls of a run, found without making one: the search itself runs on stand-ins of its models."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gpo.config.schema import Config
from gpo.evaluation.score import Scorer
from gpo.model.factory import OpenModel, RoleName
from gpo.model.model import Request
from gpo.model.stand_in import stand_in
from gpo.optimizer.choose import open_search
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.run.plan import Plan

_BEFOREHAND = ("reflection", "summary")
"""Purposes of calls whose replies go into the meta-prompt."""
_MOST = 4


@dataclass(frozen=True, slots=True)
class FirstCall:
    """A request as it would be sent to the model of `role`."""

    role: RoleName
    model: str
    request: Request

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        asked = self.request
        turns = [{"role": turn.role, "content": turn.content} for turn in asked.messages]
        body: dict[str, Any] = {"messages": turns} if asked.prompt is None else {"prompt": asked.prompt}
        settings = {"temperature": asked.temperature, "max_tokens": asked.max_tokens, "n": asked.n}
        more = {
            "seed": asked.seed,
            "stop": list(asked.stop) or None,
            "response_format": asked.response_format or None,
        }
        kept = {key: value for key, value in more.items() if value is not None}
        return {"role": self.role, "model": self.model, "purpose": asked.purpose, **body, **settings, **kept}


class FirstCalls:
    """Stand-ins for the models of `config`, and what they are asked: the first call of the task model and of the
    judge, and of the optimizer model all up to the first request for prompts."""

    def __init__(self, config: Config) -> None:
        self._names: dict[RoleName, str] = {
            "task": config.models.task.model,
            "optimizer": config.models.optimizer.model,
        }
        if judge := config.models.judge:
            self._names["judge"] = judge.model
        self._calls: list[FirstCall] = []
        self.models: dict[str, OpenModel] = {
            "task": stand_in(config.models.task, self._task),
            "optimizer": stand_in(config.models.optimizer, self._optimizer),
        }
        if judge:
            # A number that can be read: without one no row would be scored.
            low = config.task.judge.scale[0] if config.task.judge else 0
            self.models["judge"] = stand_in(judge, self._judge, f"{low:g}")
        if embedder := config.models.embedder:
            # Nothing is embedded before the first request for prompts.
            self.models["embedder"] = stand_in(embedder)

    async def find(self, plan: Plan) -> Sequence[FirstCall]:
        """The first calls of `plan`, which has these models. Raises `ConfigError`."""
        judge = plan.judge_model.client if plan.judge_model else None
        scorer = Scorer(plan.task, plan.task_model.client, plan.scorer, judge=judge)
        own = plan.base_dir / plan.optimize.meta_prompt if plan.optimize.meta_prompt else None
        bench = Workbench(
            task=plan.task,
            scorer=scorer,
            optimizer=plan.optimizer_model.client,
            templates=Templates(own, plan.layout),
            embed=_embed_nothing,
            seed=plan.seed,
            temperature=plan.temperature,
            max_tokens=plan.max_tokens,
        )
        with suppress(_Enough):
            await open_search(plan.method, bench, plan.guard, plan.loop).run(plan.prompt)
        return self._calls

    def _task(self, request: Request) -> None:
        if not self._calls:
            self._calls.append(FirstCall("task", self._names["task"], request))

    def _judge(self, request: Request) -> None:
        if all(call.role != "judge" for call in self._calls):
            self._calls.append(FirstCall("judge", self._names["judge"], request))

    def _optimizer(self, request: Request) -> None:
        self._calls.append(FirstCall("optimizer", self._names["optimizer"], request))
        if request.purpose not in _BEFOREHAND or len(self._calls) > _MOST + ("judge" in self.models):
            raise _Enough


class _Enough(Exception):
    """All that is looked for has been asked."""


async def _embed_nothing(texts: Sequence[str]) -> list[list[float]]:
    """All alike: where the first request is made there is one prompt to compare."""
    return [[1.0] for _ in texts]
