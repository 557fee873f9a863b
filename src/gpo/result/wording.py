"""The numbers of a result as people read them: points, dollars, times, and what a run used in one line."""

from __future__ import annotations

from collections.abc import Mapping

from gpo.model.prices import add_dollars
from gpo.result.result import Result, RoleUsage
from gpo.text import points


def format_percent(share: float | None) -> str:
    """A share in points of 100, a dash where there is none."""
    return "–" if share is None else points(share)


def describe_cost(result: Result) -> str:
    """Calls, tokens, dollars and time of a run in one line."""
    roles = result.usage.roles
    tokens = sum(r.prompt_tokens + r.completion_tokens for r in roles.values())
    stored = sum(r.cached for r in roles.values())
    return " · ".join(
        [
            *(f"{used.calls:,} {role} calls" for role, used in roles.items()),
            *([f"{stored:,} answered by the store"] if stored else []),
            f"{tokens:,} tokens{_describe_reuse(result)}",
            _dollars(*roles.values()),
            format_duration(result.seconds),
        ]
    )


def _describe_reuse(result: Result) -> str:
    """What servers took from their prefix caches, where they say."""
    reused = sum(count or 0 for count in (result.extra.get("cached_tokens") or {}).values())
    sent = sum(used.prompt_tokens for used in result.usage.roles.values())
    return f" ({reused / sent:.0%} of the prompts' from the prefix cache)" if reused and sent else ""


def format_duration(seconds: float) -> str:
    """ "48 s", "3 min 05 s" or "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_dollars(usd: float | None) -> str:
    """An amount, or that it is not known."""
    if usd is None:
        return "cost unknown"
    return "$0" if usd == 0 else f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def describe_contributions(result: Result) -> list[str]:
    """What each part of a search by gpo+ brought to the dev estimate of the best prompt, a line a part; none for other
    methods. The numbers are points along the line from the given prompt to the best one."""
    told = result.extra.get("gpo+")
    items = told.get("contributions") if isinstance(told, Mapping) else None
    lines = []
    for item in items if isinstance(items, list | tuple) else []:
        if not isinstance(item, Mapping):
            continue
        part, gain, tried, finals = (item.get(key) for key in ("part", "gain", "tried", "finalists"))
        if not isinstance(gain, int | float):
            continue
        of = f"{tried} tried" + (f", {finals} in a step's final" if finals else "")
        lines.append(f"{100 * gain:+6.1f}  {part} ({of})")
    return lines


def _dollars(*roles: RoleUsage) -> str:
    return format_dollars(add_dollars(role.usd for role in roles))
