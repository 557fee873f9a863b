"""The optimizer as DSPy has optimizers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import dspy
from dspy.teleprompt import Teleprompter

from gpo.api.functions import optimize
from gpo.errors import ConfigError
from gpo.integrations.dspy.language_model import as_model
from gpo.integrations.dspy.program import StudentProgram
from gpo.task.task import Task

Splits = dict[str, list[Any]]


class GPO(Teleprompter):  # type: ignore[misc]
    """Improves the instructions of a program's predictors, one a step, and with `method="gpo+"` their demonstrations.

    `metric` is a metric of DSPy's: of (example, prediction, trace), to a number from 0 to 1 or a bool, or to a
    `dspy.Prediction(score=…, feedback=…)`, whose feedback the optimizer model is shown. `prompt_model` writes the new
    instructions: a `dspy.LM`, or a model as `gpo.optimize` takes it; without it the LM that the program runs with.
    The program runs with `task_model`, a `dspy.LM`, else with the one that its predictors or DSPy's settings have.
    `holdout` is the share of the validation set that is kept for the one comparison at the end, 0 for none. At most
    `num_threads` examples are under way. Of an example of the training set a predictor may be shown its outputs
    as the example labels them, else what it said in a run with at least the score `accept`. Other `options` are
    those of `gpo.optimize`: `method`, `optimize`, `budget`, `evaluation`, `run_dir`, `progress`, `watcher`, `seed`.
    """

    def __init__(
        self,
        metric: Callable[..., Any],
        *,
        prompt_model: Any = None,
        task_model: Any = None,
        holdout: float = 0.4,
        num_threads: int = 16,
        accept: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__()
        if not 0 <= holdout < 1:
            raise ConfigError("holdout: must be a share of the validation set from 0 to below 1")
        if not 0 < accept <= 1:
            raise ConfigError("accept: must be a score above 0, at most 1")
        self.accept = accept
        self.metric, self.prompt_model, self.task_model = metric, prompt_model, task_model
        self.holdout, self.num_threads, self.options = holdout, num_threads, options

    def compile(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        valset: Sequence[Any] | None = None,
        testset: Sequence[Any] | None = None,
        teacher: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A copy of `student` with the best instructions (and demonstrations, its predictors' `demos`); `gpo_result` of
        it is the `gpo.Result`.

        New instructions are written from rows of `trainset`, and chosen on `valset`; without one `trainset` is divided.
        `testset` is evaluated once at the end; without one it is the `holdout` of `valset` (0: nothing is). Raises
        `ConfigError`, and what `gpo.optimize` raises.
        """
        if teacher is not None or kwargs:
            raise ConfigError(
                f"compile: {'teacher' if teacher is not None else next(iter(kwargs))} is not taken by GPO"
            )
        lm = _find_lm(student, self.task_model)
        splits = self._divide(trainset, valset, testset)
        program = StudentProgram(student, splits, self.metric, lm, accept=self.accept)
        task = Task.from_program(
            program.rows if splits["test"] else {**program.rows, "test": program.rows["dev"][:1]},
            program.run,
            metric=program.score,
            name=type(student).__name__,
            input="question",
            target="expected",
            allow_overlap=True,
            concurrency=self.num_threads,
            seed=self.options.get("seed", 0),
        )
        assert task.program is not None
        task = replace(
            task,
            program=replace(task.program, demonstrate=program.demonstrate),
            splits=task.splits if splits["test"] else replace(task.splits, test=()),
        )
        writes = self.prompt_model or lm
        result = optimize(
            task,
            prompts=program.prompts,
            models={
                "task": as_model(lm),
                "optimizer": as_model(writes, writes=True) if isinstance(writes, dspy.BaseLM) else writes,
            },
            **self.options,
        )
        compiled = program.with_prompts(result.best_prompts)
        for (_, before), (_, after) in zip(
            student.named_predictors(), compiled.named_predictors(), strict=True
        ):
            after.lm = before.lm
        compiled._compiled = True
        compiled.gpo_result = result
        return compiled

    def _divide(
        self, trainset: Sequence[Any], valset: Sequence[Any] | None, testset: Sequence[Any] | None
    ) -> Splits:
        draw = random.Random(f"{self.options.get('seed', 0)}/dspy")
        train, dev = list(trainset), list(valset or ())
        if not dev:
            draw.shuffle(train)
            third = max(1, len(train) // 3)
            train, dev = train[:third], train[third:]
        test = list(testset or ())
        if not test and self.holdout:
            draw.shuffle(dev)
            kept = round(self.holdout * len(dev))
            test, dev = dev[:kept], dev[kept:]
        if not (train and dev and (test or not self.holdout)):
            raise ConfigError(
                f"trainset, valset: {len(train)} examples to write from, {len(dev)} to choose on and {len(test)} "
                "held out are too few; give more"
            )
        return {"train": train, "dev": dev, "test": test}


def _find_lm(student: Any, task_model: Any) -> Any:
    """The LM that all predictors run with: their own, else `task_model`, else DSPy's. Raises `ConfigError` where one
    has none, and where they differ."""
    otherwise = task_model or dspy.settings.lm
    predictors = [
        (f"the predictor {name}", otherwise if one.lm is None else one.lm)
        for name, one in student.named_predictors()
    ]
    if not predictors:
        raise ConfigError("student: has no predictors, so there is nothing to optimize")
    (first, lm), *others = [("task_model", task_model), *predictors] if task_model else predictors
    if any(one is None for _, one in predictors):
        raise ConfigError("no LM: say dspy.configure(lm=dspy.LM(…)), or give GPO task_model=…")
    for name, other in others:
        if other is not lm:
            raise ConfigError(
                f"student: {name} runs with another LM than {first}; GPO's journal takes one for all"
            )
    return lm
