"""The result of a run on a terminal: what changed, whether it is better, what it cost.

Reads a `Result`. All prompts are untrusted text and are made printable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from gpo.evaluation.agreement import describe_agreement
from gpo.report.standing import describe_standing
from gpo.result.result import Result
from gpo.result.verdict import describe_verdict, warn_of_few_rows
from gpo.result.word_diff import compare_words
from gpo.result.wording import describe_contributions, describe_cost, format_percent
from gpo.text import points, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from gpo.report.data import RunView

BROUGHT = "what each part brought, in points of the dev estimate"
_STYLES = {"same": "", "removed": "red strike", "added": "bold green"}
_LONGEST_TURN = 800
_WIDE = 100_000
_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}


def show_run(run: RunView, console: Console) -> None:
    """Print the essentials of a run directory, also of a run that is not over."""
    if run.result is not None:
        show(run.result, console)
        return
    from rich.text import Text

    _warn(run.reply_warnings, console)
    console.print(Text(describe_standing(run), style="bold"))
    console.print(Text("\nbest prompt so far", style="bold"))
    console.print(Text(printable(run.best_prompt, newlines=True)), soft_wrap=True)
    if line := _curve([run.initial_dev, *(step.best_score for step in run.steps)], console):
        console.print(Text(f"\n{line}", style="dim"))


def show(result: Result, console: Console) -> None:
    """Print the essentials of `result`: first what its numbers stand or fall with, where there is any such thing, then
    the best prompt, as it is to be copied. What goes into a pipe or a file is neither wrapped nor padded."""
    from rich.padding import Padding
    from rich.text import Text

    _warn(reply_warnings(result), console)
    console.print(Text("best prompt", style="bold"))
    console.print(Text(printable(result.best_prompt, newlines=True)), soft_wrap=True)
    parts: list[RenderableType] = [
        Text(),
        Text("initial prompt", style="bold"),
        Padding(Text(printable(result.initial_prompt, newlines=True)), (0, 2)),
        Text("what changed", style="bold"),
        Padding(_diff(result, console), (0, 2)),
        *_asked(result),
        Text(),
        _scores(result),
        Text(),
        Text(describe_verdict(result), style="bold"),
    ]
    told = result.extra.get("judge")
    if isinstance(told, Mapping) and (line := describe_agreement(told)):
        parts.append(Text(line))
    if warning := warn_of_few_rows(result):
        parts.append(Text(warning, style="yellow"))
    if gap := gap_line(result):
        parts.append(Text(gap, style="dim"))
    scores = [result.scores.initial.dev, *(step.get("best_dev") for step in result.steps)]
    if line := _curve(scores, console):
        parts += [Text(), Text(line, style="dim")]
    if brought := describe_contributions(result):
        parts += [Text(), Text(BROUGHT, style="bold"), *(Text(printable(line)) for line in brought)]
    parts += [Text(), Text(describe_cost(result), style="dim")]
    _print(parts, console)


def _warn(lines: Sequence[str], console: Console) -> None:
    from rich.text import Text

    for line in lines:
        console.print(Text(f"Warning: {printable(line)}", style="bold yellow"), soft_wrap=True)
    if lines:
        console.print()


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
    most = 48
    picked = (
        [known[round(i * (len(known) - 1) / (most - 1))] for i in range(most)] if len(known) > most else known
    )
    blocks = "".join(_BLOCKS[round((score - low) / span * 7)] if span else _BLOCKS[0] for score in picked)
    return f"best dev by step  {format_percent(known[0])} {blocks} {format_percent(known[-1])}"


def _diff(result: Result, console: Console) -> Text:
    """The best prompt with its differences to the initial one: colours, and marks where there are none."""
    from rich.text import Text

    text = Text()
    marked = console.no_color or not console.is_terminal
    for piece in compare_words(result.initial_prompt, result.best_prompt):
        word = printable(piece.text, newlines=True)
        body = word.rstrip()
        before, after = _MARKS[piece.kind] if marked else ("", "")
        text.append(before + body + after, style=_STYLES[piece.kind])
        text.append(word[len(body) :] or " ")
    return text


def _asked(result: Result) -> list[RenderableType]:
    """What is sent with the best prompt for one row, each turn with its role; nothing for a run of an older GPO."""
    from rich.padding import Padding
    from rich.text import Text

    turns = asked(result)
    if not turns:
        return []
    text = Text()
    for role, content in turns:
        cut = content if len(content) <= _LONGEST_TURN else f"{content[:_LONGEST_TURN]} …"
        text.append(f"{role}: ", style="dim")
        text.append(f"{printable(cut, newlines=True)}\n")
    text.rstrip()
    return [Text("as it is asked, for the first dev row", style="bold"), Padding(text, (0, 2))]


def asked(result: Result) -> list[tuple[str, str]]:
    """Role and text of every turn of the filled example of `result`; none where there is none."""
    turns = result.extra.get("example")
    if not isinstance(turns, list | tuple):
        return []
    return [
        (str(turn.get("role", "")), str(turn.get("content", "")))
        for turn in turns
        if isinstance(turn, Mapping)
    ]


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
