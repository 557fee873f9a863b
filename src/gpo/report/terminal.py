"""The result of a run on a terminal: the prompt, whether it is better, what it cost, what changed.

Reads a `Result`. All prompts are untrusted text and are made printable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from gpo.evaluation.agreement import describe_agreement
from gpo.report.standing import describe_standing
from gpo.report.terminal_change import show_change
from gpo.result.result import Result
from gpo.result.verdict import describe_verdict, warn_of_few_rows
from gpo.result.wording import describe_contributions, describe_cost, format_percent
from gpo.task.program.parts import read_parts
from gpo.text import points, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from gpo.report.views import RunView

BROUGHT = "what each part brought, in points of the dev estimate"
_WIDE = 100_000
_BLOCKS = "▁▂▃▄▅▆▇█"
_BLOCKS_AT_MOST, _BESIDE_BLOCKS = 48, 31  # what stands beside the blocks has at most so many columns


def show_run(run: RunView, console: Console) -> None:
    """Print the essentials of a run directory, also of a run that is not over."""
    if run.result is not None:
        show(run.result, console)
        return
    from rich.text import Text

    _show_prompt("best prompt so far", run.best_prompt, run.reply_warnings, console)
    parts: list[RenderableType] = [Text(), Text(describe_standing(run), style="bold")]
    if line := _curve([run.initial_dev, *(step.best_score for step in run.steps)], console):
        parts += [Text(), Text(line, style="dim")]
    _print(parts, console)


def show(result: Result, console: Console) -> None:
    """Print the essentials of `result`: what its numbers stand or fall with, where there is any such thing, then the
    best prompt, the verdict, the figures, and what changed. On a terminal no line but the prompt's is longer than it is
    wide and no word is broken; what goes into a pipe or a file is neither wrapped nor padded."""
    from rich.text import Text

    title = "best prompt" if result.status == "complete" else "best prompt so far"
    _show_prompt(title, result.best_prompt, reply_warnings(result), console)
    parts: list[RenderableType] = [Text(), Text(describe_verdict(result), style="bold")]
    if warning := warn_of_few_rows(result):
        parts.append(Text(warning, style="yellow"))
    parts += [Text(), _scores(result), Text()]
    if gap := gap_line(result):
        parts.append(Text(gap, style="dim"))
    told = result.extra.get("judge")
    if isinstance(told, Mapping) and (line := describe_agreement(told)):
        parts.append(Text(line))
    scores = [result.scores.initial.dev, *(step.get("best_dev") for step in result.steps)]
    if line := _curve(scores, console):
        parts.append(Text(line, style="dim"))
    parts.append(Text(describe_cost(result), style="dim"))
    if brought := describe_contributions(result):
        parts += [Text(), Text(BROUGHT, style="bold"), *(Text(printable(line)) for line in brought)]
    parts += show_change(result, marked=console.no_color or not console.is_terminal)
    _print(parts, console)


def _show_prompt(title: str, prompt: str, warnings: Sequence[str], console: Console) -> None:
    """Whatever must be known first, then the prompt alone, exact: a terminal breaks its lines as it shows them, so that
    what is copied from it has none."""
    from rich.text import Text

    for line in warnings:
        console.print(
            Text(f"Warning: {printable(line)}", style="bold yellow"), soft_wrap=not console.is_terminal
        )
    if warnings:
        console.print()
    console.print(Text(title, style="bold"))
    for name, text in read_parts(prompt).items() or [("", prompt)]:
        if name:
            console.print(Text(f"{printable(name)}:", style="bold cyan"))
        console.print(Text(printable(text, newlines=True)), soft_wrap=True)


def _print(parts: Sequence[RenderableType], console: Console) -> None:
    if console.is_terminal:
        for part in parts:
            console.print(part)
        return
    from rich.console import Console

    wide = Console(width=_WIDE, color_system=None, highlight=False, file=StringIO())
    with wide.capture() as captured:
        for part in parts:
            wide.print(part)
    for line in captured.get().splitlines():
        console.out(line.rstrip(), highlight=False)


def reply_warnings(result: Result) -> list[str]:
    """What must be known of its replies before its numbers are believed."""
    lines = result.extra.get("reply_warnings")
    return [str(line) for line in lines] if isinstance(lines, list | tuple) else []


def gap_line(result: Result) -> str:
    """The dev–test gap of the best prompt: how far the choice on dev flattered it. "" where it is not known or there is
    nothing to tell."""
    gap = result.extra.get("optimism")
    if not isinstance(gap, int | float) or result.best_prompt == result.initial_prompt:
        return ""
    return (
        f"dev–test gap of the best prompt: {points(gap, signed=True)} points (it was chosen by its dev score)"
    )


def _curve(scores: Sequence[float | None], console: Console) -> str:
    """The best dev score by step as a line of blocks, where there is something to see and the terminal can show it."""
    known = [score for score in scores if score is not None]
    if len(known) < 3 or not console.encoding.lower().startswith("utf"):
        return ""
    low, span = min(known), max(known) - min(known)
    most = min(_BLOCKS_AT_MOST, console.width - _BESIDE_BLOCKS) if console.is_terminal else _BLOCKS_AT_MOST
    if most < 2:
        return ""
    picked = (
        [known[round(i * (len(known) - 1) / (most - 1))] for i in range(most)] if len(known) > most else known
    )
    blocks = "".join(_BLOCKS[round((score - low) / span * 7)] if span else _BLOCKS[0] for score in picked)
    return f"best dev by step  {format_percent(known[0])} {blocks} {format_percent(known[-1])}"


def _scores(result: Result) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in ("dev", "test"):
        table.add_column(name, justify="right")
    table.add_column("95 % interval of the difference on test", justify="right")
    initial, best, gain = result.scores.initial, result.scores.best, result.improvement
    table.add_row("initial", format_percent(initial.dev), format_percent(initial.test), "")
    interval = ""
    if gain.ci_low is not None and gain.ci_high is not None:
        interval = f"{points(gain.ci_low, signed=True)} to {points(gain.ci_high, signed=True)}"
    table.add_row("best", format_percent(best.dev), format_percent(best.test), interval)
    return table
