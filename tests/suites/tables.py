"""Finished runs and the table that they make, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpo.suites.spec.grid import TableSlot
from gpo.suites.spec.suite import SuiteConfig
from gpo.suites.tables.run_outcome import TrialOutcome
from gpo.suites.tables.table import Table, build_table


def outcome(run_dir: str, test: float | None, **changes: Any) -> TrialOutcome:
    """A finished run: start prompt 0.2 on test, 50,000 tokens."""
    fields: dict[str, Any] = {
        "initial_test": 0.2,
        "test": test,
        "initial_dev": 0.25,
        "dev": 0.75,
        "steps": (0.25, 0.5, 0.75),
        "calls": 100,
        "tokens": 50_000,
        "seconds": 1.0,
        "stopped_by_budget": False,
        "best_prompt": "p",
        **changes,
    }
    return TrialOutcome(run_dir=run_dir, **fields)


def slot(method: str, seed: int, task: str = "t", member: str | None = None) -> TableSlot:
    labels = {"method": method, "task": task, "model": "m", "setting": "", "direction": "", "trajectory": ""}
    labels |= {"edit_distance": "", "refinement": ""}
    member = member or task
    fixed = method in ("cot", "empty")
    return TableSlot(
        labels=labels, member=member, seed=seed, run_dir=f"{member}-{method}-{seed}", evaluates_only=fixed
    )


def table(scores: Mapping[TableSlot, float | TrialOutcome | None], **section: Any) -> Table:
    """The table of these places; None is a run that is not finished."""
    config = SuiteConfig.model_validate(
        {
            "name": "x",
            "tasks": ["t"],
            "models": {"m": {"task": {"model": "m"}}},
            "methods": ["gpo"],
            "table": section,
        }
    )
    outcomes = {
        where.run_dir: value if isinstance(value, TrialOutcome) else outcome(where.run_dir, value)
        for where, value in scores.items()
        if value is not None
    }
    return build_table(config, list(scores), outcomes)


def grouped(method: str, seed: int, wsc: Any, members: tuple[Any, ...]) -> dict[TableSlot, Any]:
    """A task of its own and a group of tasks."""
    slots = {slot(method, seed, "wsc"): wsc}
    return slots | {slot(method, seed, "group", f"g{i}"): value for i, value in enumerate(members)}


def rows(*values: float, name: str = "q") -> dict[str, Any]:
    """Test rows `0`, `1`, … with these values, whose questions are `q0`, `q1`, …"""
    return {
        "rows": {str(i): value for i, value in enumerate(values)},
        "examples": {str(i): f"{name}{i}" for i in range(len(values))},
    }
