"""GEPA through its own package: its proposer, acceptance, Pareto pool and stop; an adapter that asks as we do.

What its reflection reads is the row, the reply, and what was wrong with it, the right answer included.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.proof.asking import Asker, ask
from benchmarks.proof.own import Outcome
from benchmarks.proof.peers.chat import chat
from benchmarks.proof.run import Run
from benchmarks.proof.simple import score_test
from gpo.evaluation.outcome import Outcome as RowOutcome
from gpo.task.example import Example
from gpo.task.task import Task

COMPONENT = "prompt"


class Adapter:
    """What GEPA asks of a system with one text: evaluate it on rows, and tell what came of it."""

    propose_new_texts = None

    def __init__(self, task: Task, asker: Asker, runner: asyncio.Runner) -> None:
        self._task = task
        self._scorer = asker.scorer(task)
        self._runner = runner

    def evaluate(
        self, batch: list[Example], candidate: Mapping[str, str], capture_traces: bool = False
    ) -> Any:
        """Scores and replies of `candidate` on `batch`."""
        from gepa.core.adapter import EvaluationBatch

        asked = self._scorer.outcomes([candidate[COMPONENT]], batch, "dev")
        (found,) = self._runner.run(asked)
        return EvaluationBatch(
            outputs=[item.reply for item in found],
            scores=[item.value or 0.0 for item in found],
            trajectories=found if capture_traces else None,
        )

    def make_reflective_dataset(
        self, candidate: Mapping[str, str], evaluated: Any, components: Sequence[str]
    ) -> dict[str, list[dict[str, str]]]:
        """Inputs, replies and feedback of the rows of `evaluated`."""
        rows = [
            {
                "Inputs": item.example.input,
                "Generated Outputs": item.reply,
                "Feedback": self._feedback(item),
            }
            for item in evaluated.trajectories
        ]
        return dict.fromkeys(components, rows)

    def _feedback(self, item: RowOutcome) -> str:
        if item.value == 1:
            return "Correct."
        form = self._task.answer_form or "the answer"
        lost = "No answer could be read from the reply. " if item.unreadable else ""
        return f"Wrong. {lost}The reply must be {form}. The right answer is {self._task.target_text(item.example)}."


def optimize(run: Run) -> Outcome:
    """One run. Raises what GEPA raises."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it asks the network at import
    import gepa

    draw = random.Random(run.seed)
    writer = run.at_role("optimizer")

    def reflect(prompt: Any) -> str:
        turns = prompt if isinstance(prompt, list) else [{"role": "user", "content": str(prompt)}]
        return chat(writer, turns, seed=draw.randrange(10**6))

    began = time.perf_counter()
    with asyncio.Runner() as runner:
        context = ask(run.at_role("task"))
        asker = runner.run(context.__aenter__())
        try:
            result = gepa.optimize(
                seed_candidate={COMPONENT: run.start},
                trainset=list(run.task.splits.train),
                valset=list(run.task.splits.dev),
                adapter=Adapter(run.task, asker, runner),
                reflection_lm=reflect,
                max_metric_calls=run.calls,
                seed=run.seed,
                display_progress_bar=False,
                raise_on_exception=True,
                logger=_Silent(),
            )
        finally:
            runner.run(context.__aexit__(None, None, None))
    seconds = time.perf_counter() - began
    best = result.best_candidate[COMPONENT]
    return Outcome(
        prompt=best,
        dev=float(result.val_aggregate_scores[result.best_idx]),
        task=run.proxy.used(run.name, "task"),
        optimizer=run.proxy.used(run.name, "optimizer"),
        seconds=seconds,
        test=score_test(run, best),
        notes={"candidates": len(result.candidates)},
    )


class _Silent:
    def log(self, message: str) -> None:
        """Its progress is not ours to print."""
