"""Measurements of many contenders as medians and ratios, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.results import say

DELAY = 0.05  # seconds a call


@dataclass(frozen=True)
class Job:
    """What is measured: `calls` of `contender` at `concurrency`, in so many rounds."""

    contender: str
    concurrency: int
    calls: int
    rounds: int


def summary(jobs: Sequence[Job], measurements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of each job. `over_ideal` is wall time over calls × delay / concurrency; `gpo_times` is GPO's calls a
    second over those of the contender at the same concurrency."""
    rows = []
    for job in jobs:
        mine = [
            item
            for item in measurements
            if (item["contender"], item["concurrency"]) == (job.contender, job.concurrency)
        ]
        good = [item for item in mine if not item["fault"]]
        faults = sorted({item["fault"] for item in mine if item["fault"]})
        if not mine:
            continue
        row: dict[str, Any] = {**asdict(job), "rounds": len(good), "faults": faults}
        if good:
            seconds = median(item["seconds"] for item in good)
            row["seconds"] = seconds
            row["over_ideal"] = seconds / (job.calls * DELAY / job.concurrency)
            row["calls_per_second"] = job.calls / seconds
            row["cpu_ms_per_call"] = 1000 * median(item["cpu_seconds"] for item in good) / job.calls
        rows.append(row)
    ours = {row["concurrency"]: row.get("calls_per_second") for row in rows if row["contender"] == "gpo"}
    for row in rows:
        mine_rate, other = ours.get(row["concurrency"]), row.get("calls_per_second")
        row["gpo_times"] = mine_rate / other if mine_rate and other else None
    return rows


def show(rows: Sequence[dict[str, Any]]) -> None:
    """The table."""
    table = Table(title=f"Scoring over the wire: medians, {1000 * DELAY:.0f} ms a call")
    for name in (
        "at once",
        "contender",
        "calls",
        "rounds",
        "wall s",
        "× ideal",
        "calls/s",
        "CPU ms/call",
        "GPO is",
    ):
        table.add_column(name, justify="left" if name == "contender" else "right")
    order = sorted(rows, key=lambda row: (row["concurrency"], -row.get("calls_per_second", 0)))
    for row in order:
        trials = [str(row["concurrency"]), row["contender"], f"{row['calls']:,}", str(row["rounds"])]
        if "seconds" in row:
            trials += [f"{row['seconds']:.2f}", f"{row['over_ideal']:.2f}", f"{row['calls_per_second']:,.0f}"]
            trials += [
                f"{row['cpu_ms_per_call']:.2f}",
                f"{row['gpo_times']:.2f} ×" if row["gpo_times"] else "",
            ]
        table.add_row(*trials)
    Console(width=100).print(table)
    for row in order:
        for line in row["faults"]:
            say(f"{row['contender']} at {row['concurrency']}: {line}")
