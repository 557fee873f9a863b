"""MIPROv2 through DSPy: its own adapter asks, its own bootstrapping and search; the metric is our reader of its answer.

It bootstraps demonstrations first, for its proposals even where its prompts may have none; then it has as many trials,
each on all of dev, as the calls that are left cover, rounded up and two at least.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.proof.endpoint import OPTIMIZER_TOKENS
from benchmarks.proof.own import Outcome
from benchmarks.proof.run import Run
from gpo.task.example import Example

CANDIDATES = 6
THREADS = 16
_ERRORS = 10**6
"""An answer that DSPy cannot parse is a wrong answer and ends nothing."""


def optimize(run: Run, demonstrations: int) -> Outcome:
    """One run. Raises what DSPy raises."""
    # Else it opens the user's own cache at import.
    os.environ.setdefault("DSPY_CACHEDIR", tempfile.mkdtemp(prefix="proof-"))
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("TQDM_DISABLE", "1")
    import dspy

    logging.getLogger("dspy").setLevel(logging.ERROR)
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    task_model, writer = _model(run, "task"), _model(run, "optimizer")
    dev = run.task.splits.dev

    def metric(example: Any, prediction: Any, trace: Any = None) -> float:
        return run.task.score(str(getattr(prediction, "answer", "") or ""), example.row)

    program = dspy.Predict(dspy.Signature("question -> answer", run.start))
    used = run.proxy.used(run.name, "task")
    began = time.perf_counter()
    with dspy.context(lm=task_model):
        search = _search(dspy, lambda: trials_left(run.calls - used.calls, len(dev)))(
            metric=metric,
            prompt_model=writer,
            task_model=task_model,
            auto=None,
            num_candidates=CANDIDATES,
            max_bootstrapped_demos=demonstrations,
            max_labeled_demos=demonstrations,
            seed=run.seed,
            num_threads=THREADS,
            max_errors=_ERRORS,
            verbose=False,
        )
        best = search.compile(
            program,
            trainset=[_example(dspy, row) for row in run.task.splits.train],
            valset=[_example(dspy, row) for row in dev],
            num_trials=trials_left(run.calls, len(dev)),
            minibatch=False,
        )
    seconds = time.perf_counter() - began
    score = getattr(best, "score", None)
    return Outcome(
        prompt=best.signature.instructions,
        dev=None if score is None else float(score) / 100,
        task=used,
        optimizer=run.proxy.used(run.name, "optimizer"),
        seconds=seconds,
        test=_test(dspy, run, best, metric),
        notes={"demonstrations": len(best.demos), "trials": search.trials},
    )


def trials_left(calls: int, dev: int) -> int:
    """Trials on `dev` rows that `calls` cover beside the first one, of the program as it was given."""
    return max(2, -(-calls // dev) - 1)


def _search(dspy: Any, trials: Callable[[], int]) -> Any:
    """MIPROv2 that asks for its number of trials when it begins with them."""

    class Counted(dspy.MIPROv2):  # type: ignore[misc, unused-ignore]
        def _optimize_prompt_parameters(self, *given: Any) -> Any:
            *front, _, minibatch, size, steps, seed = given
            self.trials = trials()
            return super()._optimize_prompt_parameters(*front, self.trials, minibatch, size, steps, seed)

    return Counted


def _test(dspy: Any, run: Run, program: Any, metric: Any) -> tuple[float, ...]:
    rows = [_example(dspy, row) for row in run.task.splits.test]
    program.set_lm(_model(run, "test"))
    evaluate = dspy.Evaluate(
        devset=rows, metric=metric, num_threads=THREADS, display_progress=False, max_errors=_ERRORS
    )
    found = evaluate(program)
    return tuple(float(value) for _, _, value in found.results)


def _example(dspy: Any, row: Example) -> Any:
    answer = row.target[0] if isinstance(row.target, tuple) else row.target
    return dspy.Example(question=row.input, answer=str(answer), row=row).with_inputs("question")


def _model(run: Run, role: str) -> Any:
    import dspy

    endpoint = run.at_role(role)
    writes = role == "optimizer"
    return dspy.LM(
        f"openai/{endpoint.model}",
        api_base=endpoint.base_url,
        api_key="none",
        cache=False,
        num_retries=2,
        temperature=1.0 if writes else 0.0,
        max_tokens=OPTIMIZER_TOKENS if writes else endpoint.max_tokens,
    )
