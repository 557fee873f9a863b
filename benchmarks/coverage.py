"""How often the 95 % interval holds the true gain, how often "better" is said without one, and how often with one.

`python -m benchmarks.coverage` writes results/coverage-KIND-DATE.json and the tables of docs/statistics.md between its
marks. For 0/1 scores the chances of all outcomes of n rows are added up, so the figures are exact (those of the
percentile bootstrap but for its own draws); graded scores are drawn. `--render` only writes the tables of the newest
data anew.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import coverage_rules as rules
from benchmarks.coverage_tables import DOCS, write_tables
from benchmarks.results import RESULTS, Session, say

ROWS = (10, 20, 30, 50, 100, 200, 500, 1000)
DISCORDANCES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6)
GAINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
BINARY: dict[str, Callable[[int, int, int], rules.Judged]] = {
    "gpo": rules.ours,
    "bonett_price": rules.bonett_price_alone,
    "tango": rules.tango_alone,
    "percentile": rules.percentile,
    "bare": rules.bare,
}
GRADED: dict[str, Callable[[rules.Floats, int], rules.Judged]] = {
    "gpo": rules.ours_graded,
    "percentile": rules.percentile_graded,
    "bare": rules.bare_graded,
}
SHAPES = ("even", "few rows", "skewed")
GRADED_GAINS = (0.0, 0.05)
SAMPLES = 2_000
KINDS = ("binary", "graded")
RARE = 1e-7
"""Outcomes of a smaller chance are left out; all of them together are told as `left_out`."""


def main() -> None:
    """Measure, write, say what falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=KINDS, help="measure these scores alone")
    parser.add_argument("--render", action="store_true", help="only write the tables anew")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="draws of graded scores a cell")
    arguments = parser.parse_args()
    for kind in () if arguments.render else KINDS:
        if arguments.only in (None, kind):
            say(f"written: {measure(kind, arguments.samples)}")
    newest = [max(RESULTS.glob(f"coverage-{kind}-*.json")) for kind in KINDS]
    write_tables({path.name: json.loads(path.read_text()) for path in newest}, DOCS)


def measure(kind: str, samples: int) -> Path:
    """All cells of one kind of scores, to a file."""
    settings: dict[str, Any] = {"resamples": rules.RESAMPLES}
    settings |= {"rare": RARE} if kind == "binary" else {"samples": samples}
    session = Session(f"coverage-{kind}", settings, ["gpo", "numpy"])
    for key, cell in cells() if kind == "binary" else graded_cells(samples):
        if not session.known(**key):
            say(" ".join(f"{name} {value}" for name, value in key.items()))
            session.add({**key, **cell()})
    return session.finish(summary(session.measurements, list(BINARY if kind == "binary" else GRADED)))


def cells() -> Iterator[tuple[dict[str, Any], Callable[[], dict[str, Any]]]]:
    """What is measured of 0/1 scores, by its key."""
    for rows in ROWS:
        for discordance in DISCORDANCES:
            for gain in GAINS:
                if gain <= discordance:
                    key = {"rows": rows, "discordance": discordance, "gain": gain}
                    yield key, partial(binary, rows, discordance, gain)


def graded_cells(samples: int) -> Iterator[tuple[dict[str, Any], Callable[[], dict[str, Any]]]]:
    """The same of graded scores."""
    for rows in ROWS:
        for shape in SHAPES:
            for gain in GRADED_GAINS:
                key = {"rows": rows, "shape": shape, "gain": gain}
                yield key, partial(graded, rows, shape, gain, samples)


def binary(rows: int, discordance: float, gain: float) -> dict[str, Any]:
    """Coverage, chance of "better" and mean width of each rule."""
    up, down = (discordance + gain) / 2, (discordance - gain) / 2
    found = {name: np.zeros(3) for name in BINARY}
    total = 0.0
    for gained, lost, chance in outcomes(rows, up, down):
        total += chance
        for name, rule in BINARY.items():
            low, high, better = rule(gained, lost, rows)
            found[name] += chance * np.array([low - 1e-12 <= gain <= high + 1e-12, better, high - low])
    return {
        "left_out": max(0.0, 1 - total),
        **{name: _told(values / total) for name, values in found.items()},
    }


def outcomes(rows: int, up: float, down: float) -> Iterator[tuple[int, int, float]]:
    """Numbers of risen and fallen rows with their trinomial chance, those above `RARE`."""
    logs = np.array([math.lgamma(k + 1) for k in range(rows + 1)])
    for gained in range(rows + 1 if up else 1):
        lost = np.arange(rows - gained + 1 if down else 1)
        same = rows - gained - lost
        chances = logs[rows] - logs[gained] - logs[lost] - logs[same] + _times(gained, up)
        chances = np.exp(chances + _times(lost, down) + _times(same, 1 - up - down))
        for fallen in np.flatnonzero(chances > RARE).tolist():
            yield gained, fallen, float(chances[fallen])


def _times(counts: Any, chance: float) -> Any:
    """`counts` · ln `chance`, 0 for none of what cannot be and so never for more."""
    if chance > 1e-12:
        return counts * math.log(chance)
    return np.where(np.asarray(counts) == 0, 0.0, -np.inf)


def graded(rows: int, shape: str, gain: float, samples: int) -> dict[str, Any]:
    """The same over `samples` draws."""
    generator = np.random.Generator(np.random.PCG64([rows, SHAPES.index(shape), round(1000 * gain)]))
    found = {name: np.zeros(3) for name in GRADED}
    for seed in range(samples):
        values = draw(generator, rows, shape, gain)
        for name, rule in GRADED.items():
            low, high, better = rule(values, seed)
            found[name] += np.array([low <= gain <= high, better, high - low])
    return {name: _told(values / samples) for name, values in found.items()}


def draw(generator: np.random.Generator, rows: int, shape: str, gain: float) -> rules.Floats:
    """Differences of graded scores whose true mean is `gain`: spread evenly around it up to 0.2 (a triangle); 0 but in
    one row of ten, where they are 0.3 to 1 up or down; or skewed, most a little below the mean and few far above."""
    if shape == "even":
        return gain + 0.2 * (generator.random(rows) - generator.random(rows))
    if shape == "skewed":
        return gain - 0.1 + generator.beta(0.5, 4.5, rows)
    size = generator.uniform(0.3, 1.0, rows) * (generator.random(rows) < 0.1)
    rising = 0.5 * (1 + gain / 0.065)
    return np.where(generator.random(rows) < rising, size, -size)


def summary(measurements: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """The worst cell of each rule: least coverage, and the largest chance of "better" without a gain."""
    return {
        name: {
            "least_coverage": min(
                (item[name]["coverage"] for item in measurements if item[name]["coverage"] is not None),
                default=None,
            ),
            "most_false_better": max(item[name]["better"] for item in measurements if item["gain"] == 0),
        }
        for name in names
    }


def _told(values: rules.Floats) -> dict[str, float | None]:
    coverage, better, width = (round(float(value), 5) for value in values)
    known = not math.isnan(width)
    return {"coverage": coverage if known else None, "better": better, "width": width if known else None}


if __name__ == "__main__":
    main()
