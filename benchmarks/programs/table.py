"""The table of the comparison on a DSPy program: each arm, how far it is from the student, and how far ours from it.

    python -m benchmarks.dspy_compare_table OUT_DIR [--keep FILE.json] [--page docs/results.md]

Markdown on stdout. `--keep` writes the runs with their head and the figures of the table as one JSON file, and `--page`
puts the table between the marks `<!-- dspy: begin -->` and `<!-- dspy: end -->` of a page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from benchmarks.proof.lines import read_lines
from benchmarks.proof.statistics import Difference
from benchmarks.proof.versus_table import difference
from benchmarks.results import say

Line = Mapping[str, Any]
STUDENT, OURS = "student", "gpo+"
TITLES: Final = {
    "student": "the student as it is",
    "copro": "COPRO",
    "mipro-0": "MIPROv2, no demonstrations",
    "mipro": "MIPROv2",
    "gepa": "GEPA",
    "gpo": "gpo",
    "gpo+": "gpo+",
    "gpo+words": "gpo+, no demonstrations",
}
"""In the order of the table."""
HEAD: Final = (
    "optimizer", "test", "above the student", "gpo+ above it", "program calls", "refused", "writer calls",
    "tokens", "demonstrations",
)  # fmt: skip
BEGIN, END = "<!-- dspy: begin -->", "<!-- dspy: end -->"


def summarize(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The figures of each arm, in points and in means over its seeds; a difference has its mean and 95 % interval over
    rows and seeds, None where the other arm is missing."""
    runs: dict[str, dict[tuple[str, int], Line]] = {}
    for line in lines:
        runs.setdefault(line["arm"], {})[line["task"], line["seed"]] = line
    found = []
    for arm in (name for name in TITLES if name in runs):
        own = list(runs[arm].values())
        found.append(
            {
                "arm": arm,
                "seeds": sorted(line["seed"] for line in own),
                "test": 100 * fmean(fmean(line["test"].values()) for line in own),
                "above_student": _gap(runs.get(arm), runs.get(STUDENT) if arm != STUDENT else None),
                "ours_above": _gap(runs.get(OURS), runs[arm] if arm != OURS else None),
                "task_calls": fmean(line["task_calls"] for line in own),
                "refused": fmean(line["refused"] for line in own),
                "optimizer_calls": fmean(line["optimizer_calls"] for line in own),
                "tokens": fmean(line["task_tokens"] + line["optimizer_tokens"] for line in own),
                "demonstrations": fmean(
                    sum(len(part["demos"]) for part in line["program"].values()) for line in own
                ),
            }
        )
    return found


def table(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """The Markdown table of `summarize`'s figures."""
    shown = [f"| {' | '.join(HEAD)} |", f"| --- |{' ---: |' * (len(HEAD) - 1)}"]
    for item in figures:
        cells = [
            TITLES[item["arm"]],
            f"{item['test']:.1f}",
            _shown(item["above_student"]),
            _shown(item["ours_above"]),
            *(f"{item[name]:,.0f}" for name in ("task_calls", "refused", "optimizer_calls", "tokens")),
            f"{item['demonstrations']:.0f}",
        ]
        shown.append(f"| {' | '.join(cells)} |")
    return shown


def fill(page: str, lines: Sequence[str]) -> str:
    """`page` with `lines` between its marks. Raises `ValueError` where it has none."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return "\n".join([f"{head}{begin}", "", *lines, "", f"{end}{tail}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, print, keep."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dspy_compare_table", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--page", type=Path)
    found = parser.parse_args(arguments)
    path = found.out / "runs.jsonl"
    head, *lines = read_lines(path) if path.exists() else [{}]
    if not lines:
        say(f"{path}: has no finished run yet; run benchmarks.dspy_compare first")
        return 2
    figures = summarize(lines)
    shown = table(figures)
    if found.keep:
        kept = {"benchmark": "dspy", **head, "summary": figures, "runs": lines}
        found.keep.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if found.page:
        found.page.write_text(fill(found.page.read_text(encoding="utf-8"), shown), encoding="utf-8")
    print("\n".join(shown))
    print(f"\n{head['command']}, {head['date']}, {head['machine']}, {head['settings']}")
    return 0


def _gap(ours: Any, theirs: Any) -> dict[str, float] | None:
    gap: Difference | None = difference(ours, theirs) if ours and theirs else None
    return None if gap is None else {"mean": gap.mean, "low": gap.low, "high": gap.high}


def _shown(gap: Mapping[str, float] | None) -> str:
    return "" if gap is None else f"{gap['mean']:+.1f} [{gap['low']:+.1f}, {gap['high']:+.1f}]"
