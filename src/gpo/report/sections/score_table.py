"""The scores of the initial and the best prompt with their intervals, as rows of a table."""

from __future__ import annotations

from gpo.report.scores import SPLITS, interval
from gpo.report.views import RunView
from gpo.result.wording import format_percent
from gpo.storage.journal_reader import JournalReader
from gpo.text import points


def score_rows(run: RunView, reader: JournalReader) -> list[tuple[str, list[tuple[str, str]]]]:
    """Name of the prompt, then mean and interval for each split."""
    rows = []
    for name, prompt, dev in (
        ("initial", run.initial_prompt, run.initial_dev),
        ("best", run.best_prompt, run.best_dev),
    ):
        own = getattr(run.result.scores, name) if run.result else None
        cells = []
        for split in SPLITS:
            found = interval(reader, prompt, split) if split == "dev" or run.status == "complete" else None
            mean = dev if split == "dev" else own.test if own else None
            text = (
                f"{format_percent(found.low)} to {format_percent(found.high)}"
                if found and mean is not None
                else ""
            )
            cells.append((format_percent(mean), text))
        rows.append((name, cells))
    return rows


def difference(run: RunView) -> dict[str, str] | None:
    """Best minus initial prompt on the held-out test set, None where there is nothing to compare."""
    gain = run.result.improvement if run.result else None
    if gain is None or gain.test is None or run.best_prompt == run.initial_prompt:
        return None
    span = ""
    if gain.ci_low is not None and gain.ci_high is not None:
        span = f"{points(gain.ci_low, signed=True)} to {points(gain.ci_high, signed=True)}"
    return {
        "value": points(gain.test, signed=True),
        "interval": span,
        "p": "" if gain.p_value is None else f"{gain.p_value:.2g}",
    }


def describe_gap(run: RunView) -> str:
    """How far the choice on dev flattered the best prompt; "" where it is not known."""
    gap = run.result.extra.get("optimism") if run.result else None
    if not isinstance(gap, int | float) or run.best_prompt == run.initial_prompt:
        return ""
    flattery = points(gap, signed=True)
    return f"How far dev flatters the best prompt: {flattery} points, since it was chosen by its dev score."
