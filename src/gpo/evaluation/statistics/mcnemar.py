"""McNemar's exact test for 0/1 scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gpo.evaluation.statistics.paired import count_changes, differences

EXACT = 1_000


def mcnemar(before: Sequence[float], after: Sequence[float]) -> float:
    """Two-sided p-value of the exact McNemar test for 0/1 values. Raises `ValueError` where the lengths differ or
    are 0."""
    return mcnemar_counts(*count_changes(differences(before, after)))


def mcnemar_counts(gained: int, lost: int) -> float:
    """The same from the rows on which just one prompt is right: under no difference each falls to either with
    probability ½, so that p = 2 · P(at most min(gained, lost) of gained + lost), and 1 at most.

    Q. McNemar, Note on the sampling error of the difference between correlated proportions, 1947. In whole numbers up
    to `EXACT` discordant rows; above, in logarithms to some eight digits and in about √(gained + lost) steps.
    """
    n, fewer = gained + lost, min(gained, lost)
    if 2 * fewer >= n - 1:
        return 1.0
    if n <= EXACT:
        ways = tail = 1
        for i in range(fewer):
            ways = ways * (n - i) // (i + 1)
            tail += ways
        return 2 * tail / (1 << n)
    # From the largest term downwards; those that can no longer count are left out.
    log = math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - (n - 1) * math.log(2)
    term = total = 1.0
    for i in range(fewer, 0, -1):
        term *= i / (n - i + 1)
        total += term
        if term < 1e-17 * total:
            break
    return min(1.0, math.exp(log + math.log(total)))
