"""CAPO through promptolution: its own population, crossover, mutation and racing; our reader takes its answers.

Its first population is the start prompt and variations of it by its own helper, since it takes several prompts and our
other arms have one. It ends at the first step by which the calls are spent.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.proof.asking import Used
from benchmarks.proof.endpoint import OPTIMIZER_TOKENS
from benchmarks.proof.own import Outcome
from benchmarks.proof.run import Run
from gpo.task.example import Example
from gpo.task.task import Task

POPULATION = 6
BLOCK = 8
_STEPS = 1000


def optimize(run: Run) -> Outcome:
    """One run. Raises what promptolution raises."""
    import numpy as np
    import pandas as pd
    from promptolution.optimizers.capo import CAPO
    from promptolution.tasks.classification_tasks import ClassificationTask
    from promptolution.utils.prompt_creation import create_prompt_variation

    random.seed(run.seed)
    np.random.seed(run.seed)
    task, splits = run.task, run.task.splits
    used = run.proxy.used(run.name, "task")
    writer = _model(run, "optimizer")
    began = time.perf_counter()
    variations = create_prompt_variation([run.start] * (POPULATION - 1), writer)
    search = CAPO(
        predictor=predictor(_model(run, "task"), task),
        task=ClassificationTask(
            _frame(pd, task, splits.dev),
            task_description=run.start,
            n_subsamples=BLOCK,
            eval_strategy="sequential_block",
            seed=run.seed,
            metric=lambda expected, read: float(list(expected) == list(read)),
        ),
        meta_llm=writer,
        initial_prompts=[run.start, *(text or run.start for text in variations)],
        df_few_shots=_frame(pd, task, splits.train),
        callbacks=[_stopper(used, run.calls)],
    )
    prompts = search.optimize(n_steps=_STEPS)
    seconds = time.perf_counter() - began
    if not search.scores:
        raise RuntimeError("no step of CAPO could be finished")
    best = prompts[0]
    taken = Used(used.calls, used.prompt_tokens, used.completion_tokens)
    test = predictor(_model(run, "test"), task)
    read, _ = test.predict([str(best)] * len(splits.test), [row.input for row in splits.test])
    return Outcome(
        prompt=str(best),
        dev=float(search.scores[0]),
        task=taken,
        optimizer=run.proxy.used(run.name, "optimizer"),
        seconds=seconds,
        test=tuple(float(text == _expected(task, row)) for text, row in zip(read, splits.test, strict=True)),
        notes={"demonstrations": len(best.few_shots)},
    )


def predictor(model: Any, task: Task) -> Any:
    """promptolution's predictor with our reader: what is read is compared as lower-case text, "" is unreadable."""
    from promptolution.predictors.base_predictor import BasePredictor

    class Reader(BasePredictor):  # type: ignore[misc, unused-ignore]
        def predict(
            self, prompts: Any, xs: list[str], system_prompts: Any = None
        ) -> tuple[list[str], list[str]]:
            asked = [prompts] * len(xs) if isinstance(prompts, str) else list(prompts)
            outputs = self.llm.get_response(
                [f"{prompt}\n{question}" for prompt, question in zip(asked, xs, strict=True)],
                system_prompts=system_prompts,
            )
            read = [_text(task.answer.read(out, question)) for out, question in zip(outputs, xs, strict=True)]
            return read, [f"{question}\n{out}" for question, out in zip(xs, outputs, strict=True)]

        def _extract_preds(self, preds: list[str]) -> list[str]:
            raise NotImplementedError

    return Reader(model)


def _stopper(used: Used, calls: int) -> Any:
    from promptolution.utils.callbacks import BaseCallback

    class Stopper(BaseCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, optimizer: Any) -> bool:
            return used.calls < calls

    return Stopper()


def _text(answer: Any) -> str:
    return "" if answer is None else (" ".join(answer) if isinstance(answer, tuple) else str(answer)).lower()


def _expected(task: Task, row: Example) -> str:
    target = row.target[0] if isinstance(row.target, tuple) else row.target
    return _text(task.answer.normal(target, row.input))


def _frame(pd: Any, task: Task, rows: Sequence[Example]) -> Any:
    return pd.DataFrame({"x": [row.input for row in rows], "y": [_expected(task, row) for row in rows]})


def _model(run: Run, role: str) -> Any:
    from promptolution.llms.api_llm import APILLM

    endpoint = run.at_role(role)
    writes = role == "optimizer"
    return APILLM(
        api_url=endpoint.base_url,
        model_id=endpoint.model,
        api_key="none",
        max_concurrent_calls=endpoint.concurrency,
        max_tokens=OPTIMIZER_TOKENS if writes else endpoint.max_tokens,
        call_timeout_s=900,
        gather_timeout_s=3600,
        call_kwargs={"temperature": 1.0 if writes else 0.0},
    )
