"""How many test rows a gain needs, reckoned with the very rule that gives the verdict. For 0/1 scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from gpo.evaluation.statistics.comparison import compare_counts
from gpo.evaluation.statistics.mcnemar import mcnemar_counts
from gpo.evaluation.statistics.verdict import SIGNIFICANCE, Verdict

MOST_ROWS = 100_000
"""No more are looked at: gains that need more are below half a point in most tasks."""


def power(rows: int, gain: float, discordance: float) -> float:
    """The chance that a true `gain` is called better on `rows` test rows, exactly.

    `discordance` is the share of rows on which just one of the two prompts is right: (discordance + gain)/2 of the rows
    rise and (discordance − gain)/2 fall, so the discordant rows are binomial, and the risen ones among them too (the
    model of R. J. Connor, Sample size for testing differences in proportions for the paired-sample design, Biometrics
    43, 1987). The chances of all outcomes that `decide` calls better are added up. Raises `ValueError` where |gain| is
    above `discordance`.
    """
    if not 0 < discordance <= 1 or abs(gain) > discordance + 1e-12:
        raise ValueError("a gain is at most the share of rows on which the prompts differ")
    rising = min(1.0, (discordance + gain) / (2 * discordance))
    total, least = 0.0, None
    for discordant, chance in _binomial(rows, discordance, _usual(rows, discordance)):
        least = _fewest(discordant, rows, least)
        # Of what is likely at all: as a rule a small part of `least` to `discordant`.
        likely = _usual(discordant, rising)
        risen = range(max(least, likely.start), likely.stop)
        total += chance * math.fsum(share for _, share in _binomial(discordant, rising, risen))
    return min(1.0, total)


def rows_needed(gain: float, discordance: float, wanted: float = 0.8, most: int = MOST_ROWS) -> int | None:
    """The fewest rows on which a true `gain` is called better with a chance of `wanted`; None above `most`."""
    return _first(lambda rows: power(rows, gain, discordance) >= wanted, most)


def smallest_gain(
    rows: int, discordance: Callable[[float], float], wanted: float = 0.8, steps: int = 1_000
) -> float | None:
    """The smallest gain, in steps of 1/`steps`, that `rows` show with a chance of `wanted`; None where none is.
    `discordance` gives the share of discordant rows that goes with a gain, 0 where there can be no such gain."""

    def seen(step: int) -> bool:
        share = discordance(step / steps)
        return not share or power(rows, step / steps, share) >= wanted

    found = _first(seen, steps)
    return None if found is None or not discordance(found / steps) else found / steps


def _first(holds: Callable[[int], bool], most: int) -> int | None:
    """The first number from 1 on for which `holds`, which must hold for all above it as well."""
    high = 1
    while not holds(high):
        if high >= most:
            return None
        high = min(2 * high, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _fewest(discordant: int, rows: int, before: int | None) -> int:
    """How many of `discordant` rows must rise for the verdict better; `discordant` + 1 where all are too few. With one
    discordant row more it is the same number or one more, so it is looked for from `before` on."""
    if before is not None:
        return before if before <= discordant and _is_better(before, discordant, rows) else before + 1
    low, high = discordant // 2, discordant + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_better(middle, discordant, rows) else (middle, high)
    return high


@lru_cache(maxsize=200_000)
def _is_better(risen: int, discordant: int, rows: int) -> bool:
    # The interval takes longer than the test, which nearly always settles it.
    if mcnemar_counts(risen, discordant - risen) >= SIGNIFICANCE:
        return False
    return compare_counts(risen, discordant - risen, rows).verdict is Verdict.BETTER


def _usual(n: int, chance: float) -> range:
    """The counts among `n` that happen, but for one time in a thousand million."""
    middle, spread = n * chance, 6 * math.sqrt(n * chance * (1 - chance)) + 6
    return range(max(0, int(middle - spread)), min(n, int(middle + spread)) + 1)


def _binomial(n: int, chance: float, counts: range) -> list[tuple[int, float]]:
    """Each of `counts` with its binomial probability among `n`."""
    if chance <= 0 or chance >= 1:
        certain = n if chance >= 1 else 0
        return [(count, float(count == certain)) for count in counts]
    logs, yes, no = _log_factorials(), math.log(chance), math.log1p(-chance)
    base = logs[n] + n * no
    return [(k, math.exp(base - logs[k] - logs[n - k] + k * (yes - no))) for k in counts]


@lru_cache(maxsize=1)
def _log_factorials() -> list[float]:
    """ln k! for k up to `MOST_ROWS`."""
    return [math.lgamma(k + 1) for k in range(MOST_ROWS + 1)]
