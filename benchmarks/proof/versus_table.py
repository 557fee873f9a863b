"""The table of a comparison: each arm's mean over tasks, and how far the first arm stands from it.

    python -m benchmarks.versus_table OUT_DIR [--against gpo+] [--keep FILE.jsonl]

Markdown on stdout. An arm's mean is over the tasks and seeds that it has; a difference is over those that both have.
`--keep` copies the lines to a file of their own, for benchmarks/results.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.proof.arms import ARMS, PEERS
from benchmarks.proof.lines import read_lines
from benchmarks.proof.statistics import Difference, compare_runs, holm
from benchmarks.proof.versus import RUNS
from benchmarks.results import say

Line = Mapping[str, Any]
Key = tuple[str, int]


def by_arm(lines: Sequence[Line]) -> dict[str, dict[Key, Line]]:
    """Runs by arm, then by task and seed; arms in their order."""
    found: dict[str, dict[Key, Line]] = {}
    for line in lines:
        found.setdefault(line["arm"], {})[line["task"], line["seed"]] = line
    return {arm: found[arm] for arm in sorted(found, key=lambda arm: (*ARMS, arm).index(arm))}


def score(line: Line) -> float | None:
    """The mean test value of a run in per cent."""
    known = [value for value in line["test"].values() if value is not None]
    return 100 * fmean(known) if known else None


def difference(ours: Mapping[Key, Line], theirs: Mapping[Key, Line]) -> Difference | None:
    """`ours` minus `theirs` in points over the runs and rows that both have; None without any."""
    tasks: dict[str, list[dict[str, float]]] = {}
    for key in ours.keys() & theirs.keys():
        mine, other = ours[key]["test"], theirs[key]["test"]
        rows = {
            name: 100 * (mine[name] - other[name])
            for name in sorted(mine.keys() & other.keys())
            if mine[name] is not None and other[name] is not None
        }
        if rows:
            tasks.setdefault(key[0], []).append(rows)
    ordered = [tasks[name] for name in sorted(tasks)]
    return compare_runs(ordered) if ordered else None


def table(lines: Sequence[Line], against: str) -> list[str]:
    """The markdown table. Holm's correction is over the peers that are there."""
    arms = by_arm(lines)
    gaps = {
        arm: difference(arms[against], arms[arm]) if against in arms and arm != against else None
        for arm in arms
    }
    family = [arm for arm in arms if arm.split("@")[0] in PEERS and gaps[arm] is not None]
    corrected = dict(zip(family, holm([gaps[arm].p_value for arm in family if gaps[arm]]), strict=True))  # type: ignore[union-attr]
    tasks = list(dict.fromkeys(line["task"] for line in lines))
    head = ["arm", *tasks, "mean", f"{against} ahead by", "p (Holm)", "runs", *COSTS, "dev flatters by"]
    shown = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for arm, runs in arms.items():
        cells = [_mean([score(line) for key, line in runs.items() if key[0] == task]) for task in tasks]
        known = [value for value in cells if value is not None]
        whole = fmean(known) if len(known) == len(tasks) else None
        gap = gaps[arm]
        shown.append(
            " | ".join(
                [
                    f"| {arm}",
                    *(_number(value) for value in cells),
                    _number(whole),
                    "" if gap is None else f"{gap.mean:+.1f} [{gap.low:+.1f}, {gap.high:+.1f}]",
                    _p(gap, corrected.get(arm)),
                    str(len(runs)),
                    *_costs(list(runs.values())),
                    f"{_number(_mean([_flattering(line) for line in runs.values()]))} |",
                ]
            )
        )
    return shown


COSTS = ("task calls", "optimizer calls", "tokens", "seconds")


def _costs(runs: Sequence[Line]) -> list[str]:
    tokens = [line["task_tokens"] + line["optimizer_tokens"] for line in runs]
    return [
        f"{fmean(line['task_calls'] for line in runs):,.0f}",
        f"{fmean(line['optimizer_calls'] for line in runs):,.0f}",
        f"{fmean(tokens):,.0f}",
        f"{fmean(line['seconds'] for line in runs):,.0f}",
    ]


def _flattering(line: Line) -> float | None:
    tested = score(line)
    return None if line["dev"] is None or tested is None else 100 * line["dev"] - tested


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _p(gap: Difference | None, corrected: float | None) -> str:
    if gap is None:
        return ""
    return f"{gap.p_value:.3f}" if corrected is None else f"{gap.p_value:.3f} ({corrected:.3f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, print, keep."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.versus_table", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", default="gpo+")
    parser.add_argument("--keep", type=Path)
    found = parser.parse_args(arguments)
    path = found.out / RUNS
    if not path.exists():
        say(f"{path}: is not there; run benchmarks.versus first")
        return 2
    head, *lines = read_lines(path)
    if not lines:
        say(f"{path}: has no finished run yet")
        return 2
    if found.keep:
        found.keep.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    print("\n".join(table(lines, found.against)))
    print(f"\n{head['command']}, {head['date']}, {head['machine']}, {head['settings']}")
    print(
        "Test accuracy in per cent. Intervals: 95 %, over questions and seeds. p: sign flips of whole runs; in "
        "brackets with Holm's correction over the peers. Calls, tokens and seconds: means a run, of the search alone."
    )
    return 0
