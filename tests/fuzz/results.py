"""RESULTS.md from the ledger of runs: nothing in it that was not measured."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.fuzz.kept import HERE, kept, noted
from tests.fuzz.targets import TARGETS

_HEAD = """\
# Fuzzing

Every target gets arbitrary bytes and may do nothing but return or raise one of GPO's own errors, of at most 2,000
characters, within 3 s of processor time (`targets/`). The engine is atheris (libFuzzer) with coverage of the package.

- fuzz on: `python -m tests.fuzz --target TARGET --minutes N` (processor minutes; goes on from `build/fuzz` and from
  the kept corpus; `TARGET` is one of the table or `all`)
- the kept corpus is replayed by every test run: `pytest tests/fuzz`; `fixed-…` are inputs that once found a fault

All runs so far, from `runs.jsonl`:

| target | processor minutes | executions | branches seen | kept inputs | fixed faults | last run |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
"""


_NOTES = """
`candidate: AssertionError-in-candidates.run` was no fault of the package: the target itself held unassigned code points
for unprintable ones. `reply: AssertionError-in-replies.run` was a key that a server echoed as its finish reason and
that stood in the error; `reply: crash-of-the-interpreter` was two processes at one target, which tore the file of the
last input under each other (the input itself does nothing; a lock keeps the second one out now). `body:
Hang-in-client.complete` and `store: AssertionError-in-store.run` were the targets' own: bodies in pieces of a byte, and
a store that is told to be damaged beside its entry. A run of `run_folder` that was broken off, and is not in the table,
found numbers of a result beyond all bounds
(`fixed-points-without-end`).

Before the first run, the seeds of the journal showed ten cells whose type was taken on trust, and the YAML of aliases
that double, of a tag on an unfit scalar, and a reply of "answer is" without end were written by hand; they are among
the `fixed-…` inputs. The aim is an hour of processor time over all targets: the last line of the table says how much
of it there has been.
"""


def write_results() -> None:
    """Write the page anew."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in noted():
        runs[line["target"]].append(line)
    rows, minutes, executions = [], 0.0, 0
    for item in TARGETS:
        mine = runs[item.name]
        if not mine:
            continue
        spent, times = sum(run["cpu_minutes"] for run in mine), sum(run["executions"] for run in mine)
        minutes, executions = minutes + spent, executions + times
        files = list(kept(item.name))
        fixed = sum(path.name.startswith("fixed-") for path in files)
        cells = (spent, times, max(run["coverage"] for run in mine), len(files), fixed, mine[-1]["date"])
        rows.append(f"| {item.name} | {cells[0]:.1f} | {cells[1]:,} | {' | '.join(map(str, cells[2:]))} |")
    rows.append(f"| all | {minutes:.1f} | {executions:,} | | | | |")
    found = sorted(
        {
            f"- {item.name}: {place}"
            for item in TARGETS
            for run in runs[item.name]
            for place in run["findings"]
        }
    )
    told = "\nWhat the runs found (error and innermost function of the package), all fixed:\n\n" + "\n".join(
        found
    )
    (HERE / "RESULTS.md").write_text(
        _HEAD + "\n".join(rows) + "\n" + (told + "\n" if found else "") + _NOTES, encoding="utf-8"
    )
