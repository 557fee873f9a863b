"""`python -m tests.fuzz --target T --minutes N`: fuzz, go on where the last run stopped, and keep what was learnt.

Knows the order of work; mutating is `tests.fuzz.engine`, judging `tests.fuzz.check`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.engine import Last
from tests.fuzz.kept import CORPUS, alone, keep, kept, note, put, work
from tests.fuzz.minimise import chosen
from tests.fuzz.results import write_results
from tests.fuzz.targets import TARGETS, target

_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+)")


def main() -> int:
    """Returns 1 where a run brought a finding."""
    arguments = _arguments()
    names = [item.name for item in TARGETS] if arguments.target == "all" else [arguments.target]
    if importlib.util.find_spec("atheris") is None:
        print(
            "fuzzing needs atheris: pip install atheris (the kept corpus is replayed without it)",
            file=sys.stderr,
        )
        return 2
    found = 0
    for name in names:
        if arguments.minutes:
            found += fuzz(name, 60 * arguments.minutes)
        if not arguments.no_keep:
            print(f"{name}: {minimise(name)} inputs kept in {CORPUS / name}", flush=True)
    write_results()
    return 1 if found else 0


def fuzz(name: str, seconds: float) -> int:
    """Fuzz one target for `seconds` of processor time; the ledger gets a line. Returns the number of new findings."""
    with alone(name):
        return _fuzz(name, seconds)


def _fuzz(name: str, seconds: float) -> int:
    corpus, findings = work(name, "corpus"), work(name, "findings")
    for data in [*target(name).seeds(), *(path.read_bytes() for path in kept(name))]:
        put(corpus, data)
    before = {path.name for path in findings.iterdir()}
    executions, used, coverage, features = 0, 0.0, 0, 0
    while used < seconds:
        counts, log = _child(name, seconds - used, corpus, findings)
        executions, used = executions + int(counts["executions"]), used + counts["cpu_seconds"]
        for match in _COVERAGE.finditer(log):
            coverage, features = max(coverage, int(match[1])), max(features, int(match[2]))
        if used < seconds * 0.98 and not _crashed(name, findings, log):
            break
    new = sorted({path.name for path in findings.glob("*.txt")} - before)
    line = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "target": name,
        "cpu_minutes": round(used / 60, 2),
        "executions": executions,
        "coverage": coverage,
        "features": features,
        "inputs": len(list(corpus.iterdir())),
        "findings": [item.rpartition("-")[0] for item in new],
        "python": platform.python_version(),
    }
    note(line)
    print(json.dumps(line), flush=True)
    return len(new)


def minimise(name: str) -> int:
    """Keep of the working corpus what goes beyond the seeds and the inputs that once failed."""
    known = [
        *target(name).seeds(),
        *(path.read_bytes() for path in kept(name) if path.name.startswith("fixed-")),
    ]
    inputs = [path for path in work(name, "corpus").iterdir() if path.stat().st_size <= target(name).longest]
    return keep(name, chosen(target(name), [*inputs, *kept(name)], known))


def _child(name: str, seconds: float, corpus: Path, findings: Path) -> tuple[dict[str, float], str]:
    """One process of the engine; what it counted, and its log."""
    stats = work(name, "log") / "stats.json"
    stats.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.fuzz.engine", name, str(seconds)]
    command += [str(corpus), str(findings), str(stats)]
    process = subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    (stats.parent / "log.txt").write_text(process.stderr[-200_000:])
    counts = json.loads(stats.read_text()) if stats.exists() else {"executions": 0, "cpu_seconds": 0.0}
    return counts, process.stderr


def _crashed(name: str, findings: Path, log: str) -> bool:
    """Whether the interpreter itself went down; the input that did it is a finding."""
    if "libFuzzer: deadly signal" not in log and "ERROR: libFuzzer" not in log:
        return False
    last = work(name, "log") / "last"
    path = put(findings, Last.read(last), "crash-of-the-interpreter-")
    path.with_name(path.name + ".txt").write_text(log[-4000:])
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", default="all", choices=["all", *(item.name for item in TARGETS)])
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="processor time a target; 0: only choose the corpus"
    )
    parser.add_argument("--no-keep", action="store_true", help="leave the repository's corpus as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
