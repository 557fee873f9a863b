"""One comparison of two prompts: the difference, its interval, its p-value, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpo.evaluation.statistics.adjusted_wald import bonett_price
from gpo.evaluation.statistics.bootstrap_t import bootstrap_t
from gpo.evaluation.statistics.interval import Interval
from gpo.evaluation.statistics.mcnemar import mcnemar_counts
from gpo.evaluation.statistics.paired import count_changes, differences, has_only_signs
from gpo.evaluation.statistics.sign_flip import flip, flip_or_count
from gpo.evaluation.statistics.tango import tango
from gpo.evaluation.statistics.verdict import Verdict, decide

if TYPE_CHECKING:
    from gpo.evaluation.statistics.paired import Floats


@dataclass(frozen=True, slots=True)
class Comparison(Interval):
    """A difference of two prompts with its 95 % interval, two-sided `p_value` and the number of `rows` behind it;
    `graded` where scores are not only 0 and 1."""

    p_value: float
    rows: int
    graded: bool

    @property
    def verdict(self) -> Verdict:
        """Whether the second is better."""
        return decide(self.mean, self.low, self.high, self.p_value)


def compare(before: Sequence[float], after: Sequence[float], *, seed: int) -> Comparison:
    """Compare two prompts over the same rows, values in 0..1: `compare_counts` for 0/1 values, the studentized
    bootstrap and the sign-flip test for graded ones.

    `seed` fixes what is drawn. Raises `ValueError` where the lengths differ or are 0.
    """
    return compare_groups([differences(before, after)], [1.0], seed=seed)


def compare_counts(gained: int, lost: int, rows: int) -> Comparison:
    """The comparison of 0/1 scores, of which `gained` rose and `lost` fell: McNemar's exact test, and an interval whose
    limits are the farther ones of Bonett and Price's and of Tango's.

    Either alone covers less than 94 % of the time somewhere, mostly where rows only rise; together they do not
    (docs/statistics.md). Raises `ValueError` where the counts do not fit.
    """
    one, other = bonett_price(gained, lost, rows), tango(gained, lost, rows)
    low, high = min(one.low, other.low), max(one.high, other.high)
    return Comparison(one.mean, low, high, mcnemar_counts(gained, lost), rows, graded=False)


def compare_groups(groups: Sequence[Floats], scales: Sequence[float], *, seed: int) -> Comparison:
    """Compare by differences of rows in several `groups`, whose means add up; no difference in a group is beyond ± its
    scale. Raises `ValueError` where there is no group or an empty one."""
    rows = sum(len(values) for values in groups)
    if len(groups) == 1 and rows and has_only_signs(groups[0], scales[0]):
        found = compare_counts(*count_changes(groups[0], scales[0]), rows)
        mean, low, high = (scales[0] * value for value in (found.mean, found.low, found.high))
        return Comparison(mean, low, high, found.p_value, rows, graded=False)
    interval = bootstrap_t(groups, scales, seed=seed)
    if len(groups) == 1:
        p_value = flip_or_count(groups[0], seed=seed, scale=scales[0])
    else:
        p_value = flip([value / len(values) for values in groups for value in values], seed=seed)
    return Comparison(interval.mean, interval.low, interval.high, p_value, rows, graded=True)
