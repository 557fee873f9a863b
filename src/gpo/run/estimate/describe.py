"""An estimate for a person: a table of calls, tokens and dollars, and the caps that the run would meet."""

from __future__ import annotations

from collections.abc import Callable

from gpo.config.schema import BudgetConfig
from gpo.run.estimate.estimate import Estimate, Load, ProgramRuns


def lines(found: Estimate, budget: BudgetConfig) -> list[str]:
    """For a person; the last line says which cap of `budget` the run would meet."""
    rows = [("", "calls", "prompt tokens", "completion tokens", "dollars")]
    for role, of_role in found.roles.items():
        for kind in ("expected", "most"):
            load: Load = getattr(of_role, kind)
            usd = "unknown" if load.usd is None else f"{load.usd:,.4f}"
            name = f"{role}, {'at most' if kind == 'most' else kind}"
            rows.append(
                (name, f"{load.calls:,}", f"{load.prompt_tokens:,}", f"{load.completion_tokens:,}", usd)
            )
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    shown = [
        "  ".join(f"{cell:<{width}}" if i == 0 else f"{cell:>{width}}" for i, (cell, width) in pairs).rstrip()
        for pairs in (enumerate(zip(row, widths, strict=True)) for row in rows)
    ]
    return [
        *shown,
        *(_program_lines(found, found.program, budget) if found.program else _caps(found, budget)),
    ]


def _program_lines(found: Estimate, runs: ProgramRuns, budget: BudgetConfig) -> list[str]:
    if runs.one_call:
        count = (
            f"the program is run {runs.expected:,} times, at most {runs.most:,} times; each run is one call"
        )
        return [count, *_caps(found, budget)]
    said = [
        f"the program is run {runs.expected:,} times, at most {runs.most:,} times; how many calls a run makes, and "
        "what they cost, is not known before the first row has been run"
    ]
    if budget.max_calls or budget.max_tokens or budget.max_usd:
        said.append(
            "whether the budget stops the run before its end is not known either; it is never exceeded"
        )
    return said


def _caps(found: Estimate, budget: BudgetConfig) -> list[str]:
    def total(kind: str, value: Callable[[Load], float | None]) -> float | None:
        parts = [value(getattr(role, kind)) for role in found.roles.values()]
        return None if None in parts else sum(part for part in parts if part is not None)

    caps: list[tuple[str, float | None, Callable[[Load], float | None]]] = [
        ("max_calls", budget.max_calls, lambda load: load.calls),
        ("max_tokens", budget.max_tokens, lambda load: load.prompt_tokens + load.completion_tokens),
        ("max_usd", budget.max_usd, lambda load: load.usd),
    ]
    said = []
    for name, cap, value in caps:
        expected, most = total("expected", value), total("most", value)
        if cap is None or expected is None or most is None:
            continue
        if expected > cap:
            said.append(f"budget.{name} ({cap:,g}) is expected to stop the run before its end")
        elif most > cap:
            said.append(f"budget.{name} ({cap:,g}) may stop the run before its end")
    return said
