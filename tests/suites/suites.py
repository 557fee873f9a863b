"""Small suites against the loopback server: two tasks of the landscape with other rows each, methods without an
embedder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from gpo.suites.execution.job import TrialResult
from gpo.suites.execution.pool import InProcessExecutor
from gpo.suites.execution.runner import run_trials
from gpo.suites.spec.grid import Grid, expand
from gpo.suites.spec.suite import load_suite
from gpo.suites.tables.report import report
from gpo.suites.tables.table import Table
from tests.support.landscape import Landscape

ROWS = {"train": 6, "dev": 8, "test": 10}


def write_tasks(folder: Path, *names: str) -> None:
    """A folder of split files for each name, with rows of its own."""
    landscape, first = Landscape(), 0
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for split, count in ROWS.items():
            rows = landscape.rows(count, first)
            first += count
            (folder / name / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def suite_data(base_url: str, **sections: Any) -> dict[str, Any]:
    """2 tasks × 3 methods × 2 seeds of 2 steps of 3 candidates; `sections` replace whole sections."""
    answer = {"kind": "label", "labels": ["left", "right"]}
    model = {"base_url": base_url, "max_tokens": 20, "concurrency": 4, "retry_delay": 0.001}
    return {
        "title": "Landscape",
        "tasks": [{"data": name, "answer": answer} for name in ("one", "two")],
        "models": {
            "land": {"task": {"model": "task", **model}, "optimizer": {"model": "optimizer", **model}}
        },
        "methods": ["cot", "ape", "opro"],
        "seeds": 2,
        "base": {
            "prompt": "amber anchor",
            "optimize": {"epochs": 1, "batch_size": 3, "candidates": 3, "resamples": 1},
        },
        "table": {"ours": "opro", "average": True},
        **sections,
    }


def write_suite(folder: Path, base_url: str, name: str = "land.yaml", **sections: Any) -> Path:
    """The suite's file, its tasks beside it."""
    if not (folder / "one").exists():
        write_tasks(folder, "one", "two")
    path = folder / name
    path.write_text(yaml.safe_dump(suite_data(base_url, **sections), sort_keys=False))
    return path


def grid_of(path: Path, *overrides: str) -> Grid:
    """The trials of a suite's file."""
    return expand(load_suite(str(path), overrides))


def bench(path: Path, out: Path, *overrides: str, only: str | None = None) -> tuple[Table, list[TrialResult]]:
    """What `gpo bench` does, in this process: the table and how each trial ended."""
    suite = load_suite(str(path), overrides)
    trials = expand(suite)
    results: list[TrialResult] = []
    run_trials(trials, out, InProcessExecutor(out), only=only, told=lambda result, *_: results.append(result))
    failed = {result.run_dir: result.reason for result in results if result.status == "failed"}
    return report(suite.config, trials, out, failed), results
