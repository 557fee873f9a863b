"""What a run cost and how fast it went, as the rows of tables."""

from __future__ import annotations

from gpo.report.charts.paceplots import phase_name
from gpo.report.pace import Pace, PhaseUsage
from gpo.report.views import RunView
from gpo.result.wording import format_dollars, format_duration


def describe_usage(pace: Pace, seconds: float) -> str:
    """Calls, tokens, dollars and time in one line."""
    parts = [f"{usage.tally.calls:,} {role} calls" for role, usage in pace.roles.items()]
    if stored := sum(usage.tally.cached for usage in pace.roles.values()):
        parts.append(f"{stored:,} answered by the store")
    parts += [f"{pace.tokens:,} tokens", format_dollars(pace.usd), format_duration(seconds)]
    return " · ".join(parts)


def model_row(pace: Pace, role: str) -> list[str]:
    """A role's usage and its seconds a call."""
    median, late = pace.seconds_per_call.get(role, (None, None))
    times = ["–" if value is None else f"{value:.2f}" for value in (median, late)]
    return [f"{pace.models[role]} ({role})", *_usage_cells(pace.roles[role]), *times]


def _usage_cells(usage: PhaseUsage) -> list[str]:
    tally = usage.tally
    share = usage.cached_share
    return [
        f"{tally.calls:,}",
        f"{tally.cached:,}",
        f"{tally.prompt_tokens:,}",
        "–" if share is None else f"{100 * share:.0f} %",
        f"{tally.completion_tokens:,}",
        "unknown" if usage.usd is None else format_dollars(usage.usd),
    ]


def describe_events(run: RunView) -> str:
    """What was tried again and what failed."""
    parts = [f"{run.retries:,} calls were tried again." if run.retries else "No call was tried again."]
    if run.failures:
        calls = "1 call" if len(run.failures) == 1 else f"{len(run.failures):,} calls"
        parts.append(f"{calls} failed; the last one: {run.failures[-1]}")
    else:
        parts.append("No call failed.")
    return " ".join(parts)


def phase_rows(pace: Pace) -> list[list[str]]:
    """Usage by step and role."""
    return [
        [phase_name(phase), role, *_usage_cells(usage)]
        for phase, roles in pace.phases
        for role, usage in roles.items()
    ]
