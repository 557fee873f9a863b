"""DSPy's optimizers and ours on one two-predictor DSPy program, from the same start, on the same rows, under one cap.

    python -m benchmarks.dspy_compare OUT_DIR [--arms student copro …] [--seeds 0] [--calls 200] [--minutes M]
        [--model local/NAME] [--writer local/NAME] [--base-url URL] [--data-dir DIR] [--threads 1]

The program, the rows and the reason for them: `benchmarks/programs/registered.py`. A loopback proxy passes on at most
`--calls` calls of the program's model while an arm searches and refuses every further one; each arm also has the
calls as its own parameter, where it has one (`benchmarks/programs/arms.py`). The program that it returns is then run on
held-out rows outside of it. OUT_DIR/runs.jsonl has a line a run; a line that is there is not run again, and a run that
was stopped is begun again with the answers that it had (`benchmarks/proof/kept.py`).
`python -m benchmarks.dspy_compare_table OUT_DIR` makes the table.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.proof.deadline import Deadline, add_minutes
from benchmarks.proof.endpoint import add_arguments, from_arguments
from benchmarks.proof.kept import KeptAnswers
from benchmarks.proof.lines import Lines
from benchmarks.proof.proxy import CountingProxy
from benchmarks.results import code_digest, say
from gpo.errors import ConfigError, GPOError

RUNS = "runs.jsonl"
WRITER = "local/qwen2.5-coder-1.5b"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing; 1 where an arm failed."""
    found = _parser().parse_args(arguments)
    try:
        _quiet()
        from benchmarks.programs.arms import ARMS

        if unknown := [arm for arm in found.arms or () if arm not in ARMS]:
            raise ConfigError(f"--arms {unknown[0]}: there is none; there are {', '.join(ARMS)}")
        endpoint = from_arguments(found)
        settings = {
            "model": endpoint.model,
            "writer": found.writer,
            "calls": found.calls,
            "rows": [found.train, found.val, found.test],
        }
        command = (
            f"python -m benchmarks.dspy_compare OUT_DIR --model {endpoint.model} --writer {found.writer} "
            f"--calls {found.calls}"
        )
        lines = Lines(found.out / RUNS, command=command, settings=settings, key=("arm", "seed"))
        wanted = [
            (arm, seed)
            for seed in found.seeds
            for arm in found.arms or ARMS
            if not lines.find(arm=arm, seed=seed)
        ]
        writes = endpoint if found.writer == endpoint.model else replace(endpoint, model=found.writer)
        return _carry_out_all(wanted, endpoint, writes, lines, found)
    except GPOError as error:
        say(str(error))
        return error.exit_code


def _carry_out_all(
    wanted: Sequence[tuple[str, int]], endpoint: Any, writes: Any, lines: Lines, found: argparse.Namespace
) -> int:
    from benchmarks.programs.arm_run import Served

    deadline = Deadline(found.minutes)
    failed = False
    with ExitStack() as stack:
        # The writer's model is another engine beside the program's, unless both are one.
        proxies = [
            stack.enter_context(
                CountingProxy(one, deadline=deadline, kept=KeptAnswers(found.out / f"answers-{role}.jsonl"))
            )
            for role, one in (
                {"all": endpoint} if writes is endpoint else {"program": endpoint, "writer": writes}
            ).items()
        ]
        for arm, seed in wanted:
            deadline.check()
            models = Served(endpoint=endpoint, proxy=proxies[0]), Served(endpoint=writes, proxy=proxies[-1])
            failed |= not _carry_out(arm, seed, models, lines, found)
    return 1 if failed else 0


def _carry_out(arm: str, seed: int, models: tuple[Any, Any], lines: Lines, found: argparse.Namespace) -> bool:
    """Run an arm and keep its line; False where it failed, which is said and leaves no line. Raises `TimeIsUp` where
    the minutes were over before its end."""
    import dspy

    from benchmarks.programs.arm_run import ArmRun
    from benchmarks.programs.arms import ARMS
    from benchmarks.programs.registered import Student, rows
    from benchmarks.programs.testing import test_values

    train, val, test = rows(seed, found.data_dir, train=found.train, val=found.val, test=found.test)
    program_model, writer_model = models
    trial = ArmRun(
        name=f"{arm}-{seed}".replace("+", "plus"),
        student=Student(),
        train=train,
        val=val,
        test=test,
        program_model=program_model,
        writer_model=writer_model,
        calls=found.calls,
        seed=seed,
    )
    proxy = program_model.proxy
    proxy.cap(trial.name, "task", found.calls)
    say(f"{arm} seed {seed}: begins")
    try:
        with dspy.context(lm=trial.lm, max_errors=10**6):
            result = ARMS[arm](trial)
        proxy.deadline.check()
        values = test_values(result.program, trial.test_lm, test)
    except GPOError as error:
        proxy.deadline.check()
        say(f"{arm} seed {seed}: failed: {error}")
        return False
    except Exception as error:  # a peer may raise anything, and the other arms go on
        proxy.deadline.check()
        say(f"{arm} seed {seed}: failed: {type(error).__name__}: {' '.join(str(error).split())[:500]}")
        return False
    proxy.deadline.check()
    used, wrote = proxy.used(trial.name, "task"), writer_model.proxy.used(trial.name, "optimizer")
    lines.add(
        {
            "task": "program",
            "arm": arm,
            "seed": seed,
            "task_calls": used.calls,
            "refused": proxy.over(trial.name, "task"),
            "optimizer_calls": wrote.calls,
            "task_tokens": used.prompt_tokens + used.completion_tokens,
            "optimizer_tokens": wrote.prompt_tokens + wrote.completion_tokens,
            "program": _state(result.program),
            "test": {row.id: value for row, value in zip(test, values, strict=True)},
            "notes": dict(result.notes),
            "code": code_digest(),
        }
    )
    say(f"{arm} seed {seed}: {100 * sum(values) / len(values):.1f} % on test, {used.calls} calls")
    return True


def _state(program: Any) -> dict[str, Any]:
    """The instructions and the demonstrations of each predictor, as text."""
    return {
        name: {
            "instructions": one.signature.instructions,
            "demos": [{key: str(value) for key, value in dict(demo).items()} for demo in one.demos],
        }
        for name, one in program.named_predictors()
    }


def _quiet() -> None:
    """DSPy without a cache of the user's and without its log. Before its import."""
    os.environ.setdefault("DSPY_CACHEDIR", tempfile.mkdtemp(prefix="proof-"))
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("TQDM_DISABLE", "1")
    import dspy

    for name in ("dspy", "LiteLLM", "httpx"):
        logging.getLogger(name).setLevel(logging.ERROR)
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dspy_compare", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--arms", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--calls", type=int, default=200, help="calls of the program's model in a search")
    parser.add_argument("--train", type=int, default=24)
    parser.add_argument("--val", type=int, default=16)
    parser.add_argument("--test", type=int, default=48)
    parser.add_argument("--writer", default=WRITER, help="the model that writes instructions")
    add_arguments(parser)
    add_minutes(parser)
    parser.set_defaults(model="local/qwen2.5-coder-0.5b")
    return parser
