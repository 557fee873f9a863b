"""`python -m tests.mutants --sample 200 --seed 0`: mutate the rooms, run their tests, write down what survived.

Results are kept in `build/mutants`, so that a run which was stopped goes on, and one whose tests were added to looks at
the survivors again (`--again`). The summary goes to `tests/mutants/summary.json`; a survivor's "why" in it is yours to
write and stays.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.mutants.check import check_mutant, check_source, copy_tree, load, run_tests
from tests.mutants.paths import find_tests
from tests.mutants.promises import PROMISES, break_promise
from tests.mutants.sample import Mutant, pick_sample
from tests.mutants.summary import write_summary

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutants"
RESULTS = WORK / "results.json"
LOG = WORK / "log.txt"


def main() -> int:
    """Returns 1 where a promise can be broken, or a test fails without any mutation."""
    arguments = _arguments()
    copy = WORK / ("promises" if arguments.promises else "sample")
    copy_tree(ROOT, copy)
    load()
    if arguments.promises:
        return check_promises(copy)
    sample = pick_sample(copy, arguments.sample, arguments.seed)
    every = sorted({test for mutant in sample for test in find_tests(mutant.path)})
    if run_tests(copy, ["--collect-only", *every], LOG) != 0:
        return _unfair("the tests cannot be collected")
    known: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    fair: set[tuple[str, ...]] = (
        set()
    )  # tests that passed, with a mutation or without: they fail for no other reason
    for number, mutant in enumerate(sample, 1):
        told = known.get(mutant.key, {}).get("outcome")
        if told is None or (arguments.again and told == "survived"):
            told, seconds = check_mutant(copy, mutant, find_tests(mutant.path), LOG)
            known[mutant.key] = {"outcome": told, "seconds": seconds}
            RESULTS.write_text(json.dumps(known, indent=1), encoding="utf-8")
            print(f"{number} {told} {seconds} s {mutant.operator} {mutant.path}:{mutant.line}", flush=True)
            if told == "survived":
                print(f"  - {mutant.before}\n  + {mutant.after}", flush=True)
        if told == "survived":
            fair.add(find_tests(mutant.path))
    for tests in dict.fromkeys(find_tests(mutant.path) for mutant in sample):
        if tests not in fair and run_tests(copy, tests, LOG) != 0:
            return _unfair(f"{' '.join(tests)} fail without a mutation")
    return _sum_up(sample, known, arguments)


def _unfair(what: str) -> int:
    print(LOG.read_text(encoding="utf-8"), file=sys.stderr)
    print(what, file=sys.stderr)
    return 1


def check_promises(copy: Path) -> int:
    """Break each promise and run its tests. Returns 1 where no test fails."""
    kept = 0
    for promise in PROMISES:
        changed = break_promise(copy, promise)
        outcome, seconds = check_source(copy, promise.path, changed, promise.tests, WORK / "promises.txt")
        print(f"{outcome} {seconds} s: {promise.words}", flush=True)
        kept += outcome != "survived"
    return 0 if kept == len(PROMISES) else 1


def _sum_up(sample: list[Mutant], known: dict[str, Any], arguments: argparse.Namespace) -> int:
    command = f"python -m tests.mutants --sample {arguments.sample} --seed {arguments.seed}"
    print(write_summary(sample, {mutant.key: known[mutant.key] for mutant in sample}, command))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="which mutants")
    parser.add_argument("--again", action="store_true", help="run the tests of known survivors again")
    parser.add_argument("--promises", action="store_true", help="break the promises of promises.py instead")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
