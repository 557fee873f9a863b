"""Scores the initial and the best prompt on the held-out test set, once, when the search is over: how sure is their
difference?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gpo.evaluation.compare_scores import both_scored, compare_scores
from gpo.evaluation.score import Scorer
from gpo.evaluation.statistics import decide, detectable_gain
from gpo.result.result import Improvement


@dataclass(frozen=True, slots=True)
class HeldOutTest:
    """Means by prompt (0 to 1), and the paired difference; empty where the test set was not evaluated."""

    means: Mapping[str, float] = field(default_factory=dict)
    improvement: Improvement = field(default_factory=Improvement)


async def score_held_out(scorer: Scorer, initial: str, best: str, *, seed: int) -> HeldOutTest:
    """Score both prompts on test. Raises what the scorer raises."""
    before, after = (await scorer.score([initial, best], "test"))[:2]
    excluded = scorer.excluded("test")
    rows = [row for row in both_scored(before, after) if row not in excluded]
    gain = compare_scores(before, after, rows, seed=seed)
    return HeldOutTest(
        {initial: scorer.mean(before), best: scorer.mean(after)},
        Improvement(
            test=gain.mean,
            ci_low=gain.low,
            ci_high=gain.high,
            p_value=gain.p_value,
            verdict=decide(gain.mean, gain.low, gain.high, gain.p_value, unchanged=initial == best),
            rows=gain.rows,
            detectable=detectable_gain(gain),
        ),
    )
