"""What `gpo evaluate` checks for CI: each check that fails is one line and exit code 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpo.errors import ConfigError, GPOError
from gpo.text import points

if TYPE_CHECKING:
    from gpo.evaluation.statistics import Comparison
    from gpo.run.evaluate import Evaluation


def check_threshold(fail_under: float | None) -> None:
    """Raise `ConfigError` where `--fail-under` is no score; before anything is paid."""
    if fail_under is not None and not 0 <= fail_under <= 1:
        raise ConfigError(f"--fail-under {fail_under:g}: scores are from 0 to 1, such as 0.8")


def check_score(evaluation: Evaluation, fail_under: float) -> None:
    """Raise `GPOError` where the mean score is under the threshold. A mean that differs by rounding only is not."""
    if evaluation.interval.mean < fail_under - 1e-9:
        raise GPOError(
            f"--fail-under: the score on {evaluation.split} is {evaluation.interval.mean:.4g}, under {fail_under:g}"
        )


def check_not_worse(difference: Comparison) -> None:
    """Raise `GPOError` where the prompt is shown to be worse than the other one."""
    from gpo.evaluation.statistics import Verdict

    if difference.verdict is Verdict.WORSE:
        raise GPOError(f"--not-worse-than: the prompt is worse, {_numbers(difference)}")


def difference_line(difference: Comparison) -> str:
    """The comparison in one line."""
    said = {"better": "better than", "worse": "worse than"}.get(
        difference.verdict, "not shown to differ from"
    )
    return f"{said} the other prompt: {_numbers(difference)}"


def _numbers(difference: Comparison) -> str:
    low, high = points(difference.low, signed=True), points(difference.high, signed=True)
    return (
        f"{points(difference.mean, signed=True)} points over {difference.rows:,} rows "
        f"(95 % interval {low} to {high}, p = {difference.p_value:.2g})"
    )
