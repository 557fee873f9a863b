"""What the optimizer model of a suite's runs wrote: how many scored candidates ask to reason, how many for brevity.

    python -m benchmarks.wrote OUT_DIR [--show]

By words, in English; a person should look at the prompts themselves (`--show`).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import say
from gpo.errors import GPOError
from gpo.report.data import read_run
from gpo.text import printable

REASON = re.compile(
    r"step[- ]by[- ]step|\b(?:think|reason|analy[sz]e|break (?:it |\w+ ){0,3}down|consider|explain|logical)",
    re.IGNORECASE,
)
BRIEF = re.compile(
    r"\b(?:only|just|simply|nothing (?:but|else)|single|one word|brief|concise|directly|alone)\b",
    re.IGNORECASE,
)


def main() -> None:
    """Print a line a run, and the sum."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wrote", description=__doc__)
    parser.add_argument("out", type=Path, help="what --out of gpo bench was")
    parser.add_argument("--show", action="store_true", help="print the candidates")
    given = parser.parse_args()
    whole = [0, 0, 0]
    for folder in sorted(path.parent for path in given.out.glob("*/journal.sqlite")):
        try:
            run = read_run(folder)
        except GPOError as error:
            say(f"{folder.name}: {error}")
            continue
        scored = [one.prompt for step in run.steps for one in step.candidates if one.rejected is None]
        counts = count(scored)
        whole = [sum(pair) for pair in zip(whole, counts, strict=True)]
        say(f"{folder.name}: {line(counts)}; best: {printable(run.best_prompt or '')[:160]!r}")
        for prompt in scored if given.show else ():
            say(f"    {line(count([prompt]))}: {printable(prompt)[:300]!r}")
    say(f"together: {line(whole)}")


def count(prompts: Sequence[str]) -> list[int]:
    """How many there are, ask to reason, and ask for brevity."""
    return [
        len(prompts),
        sum(REASON.search(prompt) is not None for prompt in prompts),
        sum(BRIEF.search(prompt) is not None for prompt in prompts),
    ]


def line(counts: Sequence[int]) -> str:
    """Counts as words."""
    return f"{counts[0]} scored, {counts[1]} ask to reason, {counts[2]} for brevity"


if __name__ == "__main__":
    main()
