"""`gpo demo` with each method and seed: the held-out score before and after, with its interval.

    python -m benchmarks.demos OUT [--methods gpo+ gpo] [--seeds 0 1 2 3 4] [--threads 1]

Each run is a folder of OUT, and a run that is complete is not made again, so the same command goes on. Seconds are
those of the run's own clock on so many cores; the splits of the two methods differ in size, as the demo's do.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.proof.endpoint import keep_to
from benchmarks.results import Session, say

SEEDS = (0, 1, 2, 3, 4)
METHODS = ("gpo+", "gpo")
GPO = (sys.executable, "-c", "from gpo.cli.main import main; main()")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demos", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--threads", type=int, help="keep to so many processor cores")
    parser.add_argument("--results", type=Path, help="a folder for the result; with the others if not given")
    given = parser.parse_args()
    if given.threads is not None:
        keep_to(given.threads)
    settings = {"methods": list(given.methods), "seeds": list(given.seeds), "threads": given.threads}
    place = {} if given.results is None else {"folder": given.results}
    session = Session("demos", settings, packages=("xllamacpp",), **place)
    for seed in given.seeds:
        for method in given.methods:
            if session.known(method=method, seed=seed):
                continue
            folder = given.out / f"{method}-{seed}"
            options = ["--method", method, "--seed", str(seed), "--run-dir", str(folder), "--json"]
            ended = subprocess.run([*GPO, "demo", *options], stdout=subprocess.PIPE, check=False)
            if ended.returncode:
                return ended.returncode
            session.add(told(method, seed, json.loads(ended.stdout)))
            say(line(session.measurements[-1]))
    say(str(session.finish(summarize(session.measurements))))
    return 0


def told(method: str, seed: int, result: dict[str, Any]) -> dict[str, Any]:
    """What of `result`, a run's result.json, is compared."""
    usage = result["usage"]
    return {
        "method": method,
        "seed": seed,
        "initial": result["scores"]["initial"]["test"],
        "best": result["scores"]["best"]["test"],
        "best_dev": result["scores"]["best"]["dev"],
        "improvement": result["improvement"],
        "task_calls": usage["task"]["calls"],
        "optimizer_calls": usage["optimizer"]["calls"],
        "seconds": result["seconds"],
        "best_prompt": result["best_prompt"],
        "parts": (result.get("gpo+") or {}).get("contributions"),
    }


def summarize(measurements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line a method: mean held-out scores and seconds over its seeds."""
    found = []
    for method in dict.fromkeys(item["method"] for item in measurements):
        own = [item for item in measurements if item["method"] == method]
        means = {
            name: mean(item[name] for item in own) for name in ("initial", "best", "best_dev", "seconds")
        }
        found.append({"method": method, "seeds": len(own), **means})
    return found


def line(item: dict[str, Any]) -> str:
    """A measurement as a line of the screen."""
    gained = f"{100 * item['initial']:.1f} to {100 * item['best']:.1f} on test"
    took = f"{item['seconds']:.0f} s, {item['task_calls']} task calls"
    return f"{item['method']:<5} seed {item['seed']}: {gained}, {took}"


if __name__ == "__main__":
    sys.exit(main())
