"""Carries out a suite on a Ray of two workers, as a process of its own: `SUITE OUT SHARED LIMIT`; prints JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from gpo.errors import Interrupted
from gpo.suites.execution.job import TrialResult
from gpo.suites.execution.ray_cluster import import_ray, start_ray
from gpo.suites.execution.ray_pool import RayExecutor
from gpo.suites.execution.runner import run_trials
from gpo.suites.spec.grid import expand
from gpo.suites.spec.suite import load_suite


def main() -> None:
    suite, out, shared, limit = sys.argv[1:]
    # A store of their own for the workers, as on another machine: they get the environment of this moment.
    own = os.environ["GPO_HOME"]
    os.environ["GPO_HOME"] = os.environ["WORKERS_HOME"]
    start_ray(import_ray(), "local", num_cpus=2)
    os.environ["GPO_HOME"] = own
    executor = RayExecutor(address="local", out=Path(out), shared=shared == "shared", limit=int(limit))
    results: list[TrialResult] = []
    interrupted = False
    try:
        run_trials(
            expand(load_suite(suite)), Path(out), executor, told=lambda result, at, of: results.append(result)
        )
    except Interrupted:
        interrupted = True
    print(json.dumps({"interrupted": interrupted, "results": [asdict(result) for result in results]}))


if __name__ == "__main__":
    main()
