"""The arms: each DSPy optimizer with its own parameters that bound a search, set so that it meets the calls.

What is over the calls is refused by the proxy, and DSPy scores a refused run as 0 (`failure_score`): the last candidate
of an optimizer that goes on beyond its calls loses by that, and nothing else of it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import dspy

from benchmarks.programs.arm_run import ArmRun, Found
from benchmarks.programs.registered import score, score_with_feedback
from benchmarks.programs.testing import THREADS
from benchmarks.proof.own import CANDIDATES

Arm = Callable[[ArmRun], Found]
DEMONSTRATIONS = 4
MIPRO_CANDIDATES = 4


def start(trial: ArmRun) -> Found:
    """The student as it is."""
    return Found(trial.student)


def copro(trial: ArmRun) -> Found:
    """COPRO: breadth × predictors scores of all rows that it chooses on, at depth 1. It knows one set of rows, so it is
    given those that the others choose on, and sees none of them. Its writer has the temperature that every writer has:
    at COPRO's own, 1.4, the 1.5B writes no line that can be read, and COPRO ends with that error."""
    predictors = len(trial.student.predictors())
    breadth = max(2, trial.runs // (len(trial.val) * predictors))
    search = dspy.COPRO(
        prompt_model=trial.writer, metric=score, breadth=breadth, depth=1, init_temperature=1.0
    )
    found = search.compile(
        trial.student.deepcopy(),
        trainset=trial.val,
        eval_kwargs={"num_threads": THREADS, "display_progress": False, "display_table": 0},
    )
    return Found(found, {"breadth": breadth, "depth": 1})


def mipro(demonstrations: int) -> Arm:
    """MIPROv2 without minibatches (the rows are fewer than one): it bootstraps demonstrations first, for its proposals
    even where its programs may have none, and then has as many trials as the calls left cover whole, one at least."""

    def arm(trial: ArmRun) -> Found:
        trials = [0]

        class Counted(dspy.MIPROv2):  # type: ignore[misc, unused-ignore]
            def _optimize_prompt_parameters(self, *given: Any) -> Any:
                *front, _, minibatch, size, steps, seed = given
                left = (trial.calls - trial.spent) // len(trial.student.predictors())
                trials[0] = max(1, left // len(trial.val) - 1)
                return super()._optimize_prompt_parameters(*front, trials[0], minibatch, size, steps, seed)

        search = Counted(
            metric=score,
            prompt_model=trial.writer,
            task_model=trial.lm,
            auto=None,
            num_candidates=MIPRO_CANDIDATES,
            max_bootstrapped_demos=demonstrations,
            max_labeled_demos=demonstrations,
            seed=trial.seed,
            num_threads=THREADS,
            verbose=False,
        )
        found = search.compile(
            trial.student.deepcopy(),
            trainset=trial.train,
            valset=trial.val,
            num_trials=trial.runs // len(trial.val),
            minibatch=False,
        )
        return Found(found, {"trials": trials[0], "candidates": MIPRO_CANDIDATES, **_demos(found)})

    return arm


def gepa(trial: ArmRun) -> Found:
    """GEPA: as many metric calls as the calls are runs; its metric tells the right answer."""
    search = dspy.GEPA(
        metric=score_with_feedback,
        max_metric_calls=trial.runs,
        reflection_lm=trial.writer,
        num_threads=THREADS,
        seed=trial.seed,
    )
    found = search.compile(trial.student.deepcopy(), trainset=trial.train, valset=trial.val)
    return Found(found, {"metric_calls": trial.runs})


def own(method: str, **settings: Any) -> Arm:
    """Ours: gpo with as many steps as the calls cover whole, gpo+ with the calls as its budget of runs."""

    def arm(trial: ArmRun) -> Found:
        from gpo.integrations.dspy import GPO

        options: dict[str, Any] = (
            {"method": {"name": method, "budget": trial.runs, **settings}}
            if method == "gpo+"
            else {"method": method, "optimize": _steps(trial)}
        )
        # A journal of its own would answer what the proxy has to count.
        with TemporaryDirectory() as folder:
            search = GPO(
                score_with_feedback,
                prompt_model=trial.writer,
                task_model=trial.lm,
                holdout=0,
                num_threads=THREADS,
                seed=trial.seed,
                run_dir=Path(folder) / "run",
                **options,
            )
            found = search.compile(trial.student.deepcopy(), trainset=trial.train, valset=trial.val)
        result = found.gpo_result
        notes = {"steps": len(result.steps), "status": result.status, "warnings": list(result.warnings)}
        return Found(found, {**notes, **_demos(found)})

    return arm


def _steps(trial: ArmRun) -> dict[str, Any]:
    """As many candidates, six at most, as leave each predictor a step."""
    from gpo.evaluation.race import pairs

    val, predictors = len(trial.val), len(trial.student.predictors())
    left = trial.runs - val
    candidates = next(n for n in range(CANDIDATES, 0, -1) if n == 1 or left // pairs(n, val) >= predictors)
    return {
        "epochs": max(1, left // pairs(candidates, val)),
        "batch_size": len(trial.train),
        "candidates": candidates,
        "keep_going": True,
    }


def _demos(program: Any) -> dict[str, int]:
    return {f"demos of {name}": len(one.demos) for name, one in program.named_predictors()}


ARMS: Final[dict[str, Arm]] = {
    "student": start,
    "copro": copro,
    "mipro-0": mipro(0),
    "mipro": mipro(DEMONSTRATIONS),
    "gepa": gepa,
    "gpo": own("gpo"),
    "gpo+": own("gpo+"),
    "gpo+words": own("gpo+", demonstrations=False),
}
"""In the order in which they run."""
