"""The result of a run on a terminal: what changed, whether it is better, what it cost.

Reads a `Result`; knows no run that is still going on. All prompts are untrusted text and are made printable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpo.result.result import Result, RoleUsage
from gpo.result.verdict import standing, verdict
from gpo.result.word_diff import word_diff
from gpo.text import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from gpo.report.data import RunView

_STYLES = {"same": "", "removed": "red strike", "added": "bold green"}
_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}


def show_run(run: RunView, console: Console) -> None:
    """Print the essentials of a run directory, also of a run that is not over."""
    if run.result is not None:
        show(run.result, console)
        return
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text(standing(run), style="bold"))
    console.print(Text("\nbest prompt so far", style="bold"))
    console.print(Padding(Text(printable(run.best_prompt, newlines=True)), (0, 2)))
    if line := _curve([run.initial_dev, *(step.best_score for step in run.steps)], console):
        console.print(Text(f"\n{line}", style="dim"))


def show(result: Result, console: Console) -> None:
    """Print the essentials of `result`."""
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = [
        Text("initial prompt", style="bold"),
        Padding(Text(printable(result.initial_prompt, newlines=True)), (0, 2)),
        Text("best prompt", style="bold"),
        Padding(_diff(result, console), (0, 2)),
        Text(),
        _scores(result),
        Text(),
        Text(verdict(result), style="bold"),
    ]
    if result.improvement.p_value is not None and result.best_prompt != result.initial_prompt:
        parts.append(Text(f"p = {result.improvement.p_value:.2g}, paired by example", style="dim"))
    if optimism := optimism_line(result):
        parts.append(Text(optimism, style="dim"))
    scores = [result.scores.initial.dev, *(step.get("best_dev") for step in result.steps)]
    if line := _curve(scores, console):
        parts += [Text(), Text(line, style="dim")]
    parts += [Text(), Text(cost_line(result), style="dim")]
    for part in parts:
        console.print(part)


def optimism_line(result: Result) -> str:
    """How far the choice on dev flattered the best prompt; "" where it is not known or there is nothing to tell."""
    optimism = result.extra.get("optimism")
    if not isinstance(optimism, int | float) or result.best_prompt == result.initial_prompt:
        return ""
    return (
        f"optimism of the dev score, which the prompt was chosen by: {100 * optimism:+.1f} points over test"
    )


def _curve(scores: Sequence[float | None], console: Console) -> str:
    """The best dev score by step as a line of blocks, where there is something to see and the terminal can show it."""
    known = [score for score in scores if score is not None]
    if len(known) < 3 or not console.encoding.lower().startswith("utf"):
        return ""
    low, span = min(known), max(known) - min(known)
    most = 48
    picked = (
        [known[round(i * (len(known) - 1) / (most - 1))] for i in range(most)] if len(known) > most else known
    )
    blocks = "".join(_BLOCKS[round((score - low) / span * 7)] if span else _BLOCKS[0] for score in picked)
    return f"best dev by step  {_percent(known[0])} {blocks} {_percent(known[-1])}"


def cost_line(result: Result) -> str:
    """Calls, tokens, dollars and time of a run in one line."""
    task, optimizer = result.usage.task, result.usage.optimizer
    tokens = sum(r.prompt_tokens + r.completion_tokens for r in (task, optimizer))
    stored = task.cached + optimizer.cached
    return " · ".join(
        [
            f"{task.calls:,} task calls",
            f"{optimizer.calls:,} optimizer calls",
            *([f"{stored:,} answered by the store"] if stored else []),
            f"{tokens:,} tokens{_reused(result)}",
            _dollars(task, optimizer),
            duration(result.seconds),
        ]
    )


def _reused(result: Result) -> str:
    """What servers took from their prefix caches, where they say."""
    reused = sum(count or 0 for count in (result.extra.get("cached_tokens") or {}).values())
    sent = result.usage.task.prompt_tokens + result.usage.optimizer.prompt_tokens
    return f" ({reused / sent:.0%} of the prompts' from the prefix cache)" if reused and sent else ""


def duration(seconds: float) -> str:
    """ "48 s", "3 min 05 s" or "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def dollars(usd: float | None) -> str:
    """An amount, or that it is not known."""
    if usd is None:
        return "cost unknown"
    return "$0" if usd == 0 else f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def _dollars(*roles: RoleUsage) -> str:
    costs = [role.usd for role in roles]
    return dollars(None if None in costs else sum(cost for cost in costs if cost is not None))


def _diff(result: Result, console: Console) -> Text:
    """The best prompt with its differences to the initial one: colours, and marks where there are none."""
    from rich.text import Text

    text = Text()
    marked = console.no_color or not console.is_terminal
    for piece in word_diff(result.initial_prompt, result.best_prompt):
        word = printable(piece.text, newlines=True)
        body = word.rstrip()
        before, after = _MARKS[piece.kind] if marked else ("", "")
        text.append(before + body + after, style=_STYLES[piece.kind])
        text.append(word[len(body) :] or " ")
    return text


def _scores(result: Result) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in ("dev", "test"):
        table.add_column(name, justify="right")
    table.add_column("95 % interval of the difference on test", justify="right")
    initial, best, gain = result.scores.initial, result.scores.best, result.improvement
    table.add_row("initial", _percent(initial.dev), _percent(initial.test), "")
    interval = ""
    if gain.ci_low is not None and gain.ci_high is not None:
        interval = f"{100 * gain.ci_low:+.1f} to {100 * gain.ci_high:+.1f}"
    table.add_row("best", _percent(best.dev), _percent(best.test), interval)
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
