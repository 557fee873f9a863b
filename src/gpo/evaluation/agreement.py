"""How far a judge agrees with people, on answers that people have scored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import StatisticsError, correlation, fmean
from typing import Any

from gpo.errors import GPOError, PermanentModelError
from gpo.evaluation.grading import Grader
from gpo.evaluation.window import gather_window
from gpo.task.metrics.judge import HumanScore
from gpo.task.task import Task

_WINDOW = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Over `rows` answers with a readable verdict, in units of the scale from `low` to `high`: the mean absolute
    difference, the share of equal scores, and Spearman's rank correlation, None where all scores of one side are the
    same. `failed` verdicts could not be had or read."""

    low: float
    high: float
    rows: int
    failed: int
    mean_absolute_difference: float | None
    equal: float | None
    rank_correlation: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as in `result.json`."""
        return asdict(self)


def compare_with_people(
    low: float, high: float, people: Sequence[float], judged: Sequence[float | None]
) -> Agreement:
    """The agreement of scores of the same answers; None is a verdict that there is not."""
    pairs = [(one, other) for one, other in zip(people, judged, strict=True) if other is not None]
    apart = [abs(one - other) for one, other in pairs]
    close = 1e-9 * (high - low)
    try:
        ranks = correlation(_ranks([one for one, _ in pairs]), _ranks([other for _, other in pairs]))
    except StatisticsError:
        ranks = None
    return Agreement(
        low=low,
        high=high,
        rows=len(pairs),
        failed=len(judged) - len(pairs),
        mean_absolute_difference=fmean(apart) if apart else None,
        equal=fmean(distance <= close for distance in apart) if apart else None,
        rank_correlation=ranks,
    )


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values share the mean of their places."""
    ordered = sorted(values)
    return [(2 * ordered.index(value) + ordered.count(value) + 1) / 2 for value in values]


async def measure_agreement(
    task: Task, grader: Grader, on_stop: Callable[[GPOError], Awaitable[None]] | None = None
) -> Agreement | None:
    """Let the judge of `task` grade what people scored in train and dev; None where there is nothing. Awaits `on_stop`
    before an error that ends the run is raised, and raises what the judge raises."""
    judge = task.metric.judge
    scored = judge.human_scores([*task.splits.train, *task.splits.dev]) if judge else []
    if judge is None or not scored:
        return None
    verdicts: list[float | None] = [None] * len(scored)

    async def one(place: int, item: HumanScore) -> None:
        try:
            grade = await grader.grade(item.answer, task.targets(item.example), item.example)
        except GPOError as error:
            if isinstance(error, PermanentModelError) and error.scope == "call":
                return
            if on_stop:
                await on_stop(error)
            raise
        verdicts[place] = judge.low + grade.value * (judge.high - judge.low)

    await gather_window((one(place, item) for place, item in enumerate(scored)), _WINDOW)
    return compare_with_people(judge.low, judge.high, [item.score for item in scored], verdicts)


def describe_agreement(told: Mapping[str, Any]) -> str:
    """An agreement as `result.json` has it, in one line; "" where it says nothing."""

    def number(name: str) -> float | None:
        value = told.get(name)
        return value if isinstance(value, int | float) else None

    apart, equal, ranks = (number(n) for n in ("mean_absolute_difference", "equal", "rank_correlation"))
    failed, rows = number("failed") or 0, number("rows") or 0
    lost = f"; {failed:g} verdicts could not be read" if failed else ""
    if not rows or apart is None or equal is None:
        return f"the judge gave no readable verdict on the answers that people scored{lost}" if failed else ""
    order = "" if ranks is None else f", rank correlation {ranks:.2f}"
    scale = f"on a scale from {number('low') or 0:g} to {number('high') or 0:g}"
    return (
        f"judge and people on {rows:g} scored answers: {apart:.2f} apart on average {scale}, {equal:.0%} equal{order}"
        f"{lost}"
    )
