"""The arms of the comparison, in the order in which they are run.

An arm is a function of a `Run` to an `Outcome` with its test values; packages of peers are imported when one runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from benchmarks.proof.own import PLUS, Outcome, Search, run_search, without_embedder
from benchmarks.proof.run import Run
from benchmarks.proof.simple import best_of_library, random_demonstrations, score_test

Arm = Callable[[Run], Outcome]


def own(search: Search) -> Arm:
    """An arm of this project's: its prompt, with the demonstrations in its text, is tested afterwards."""

    def arm(run: Run) -> Outcome:
        chosen = without_embedder(search) if run.recency else search
        found = run_search(
            chosen,
            run.task,
            run.start,
            run.models,
            calls=run.calls,
            seed=run.seed,
            run_dir=run.folder / run.name,
        )
        return replace(found, test=score_test(run, found.prompt))

    return arm


def gepa(run: Run) -> Outcome:
    """GEPA 0.1.4."""
    from benchmarks.proof.peers.gepa import optimize

    return optimize(run)


def mipro(demonstrations: int) -> Arm:
    """MIPROv2 of DSPy 3.4.1."""

    def arm(run: Run) -> Outcome:
        from benchmarks.proof.peers.mipro import optimize

        return optimize(run, demonstrations)

    return arm


def capo(run: Run) -> Outcome:
    """CAPO of promptolution 2.3.0."""
    from benchmarks.proof.peers.capo import optimize

    return optimize(run)


def from_library(arm: Arm) -> Arm:
    """`arm` from the best fixed prompt without demonstrations in place of the start prompt. What finding that prompt
    takes comes on top of its calls, and stands beside them."""

    def started(run: Run) -> Outcome:
        library = replace(run, name=f"{run.name}-library")
        best = best_of_library(library, demonstrations=False, tested=False)
        found = arm(replace(run, start=best.prompt))
        return replace(found, notes={**found.notes, "start": best.prompt, "library_calls": best.task.calls})

    return started


BARE: Final = {"name": PLUS, "library": False, "demonstrations": False}

ARMS: Final[dict[str, Arm]] = {
    "gpo+": own(Search(method=PLUS)),
    "gpo": own(Search(method="gpo")),
    "gepa": gepa,
    "mipro": mipro(4),
    "library": best_of_library,
    "random-demos": random_demonstrations,
    "capo": capo,
    "mipro-0": mipro(0),
    "opro": own(Search(method="opro")),
    "ape": own(Search(method="ape")),
    "best-of-n": own(Search(method="ape", racing=False, candidates=0, steps=1)),
    "gpo+bare": own(Search(method=BARE)),
    "gpo-full": own(Search(method="gpo", racing=False)),
    "gepa@library": from_library(gepa),
    "mipro@library": from_library(mipro(4)),
    "capo@library": from_library(capo),
}
PEERS: Final = ("gepa", "mipro", "mipro-0", "capo")
"""What the claim is about: Holm's correction is over these."""
NEEDS: Final = {"gepa": ("gepa",), "mipro": ("dspy", "optuna"), "capo": ("promptolution",)}
"""Packages by the beginning of an arm's name."""


def missing(arm: str) -> str | None:
    """Why `arm` cannot run here; None where it can."""
    from importlib.util import find_spec

    for start, packages in NEEDS.items():
        if arm.startswith(start) and (absent := [name for name in packages if find_spec(name) is None]):
            return f"{', '.join(absent)} is not installed (uv sync --group peers)"
    return None
