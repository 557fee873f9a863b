"""BLEU and chrF, as sacrebleu computes them. Needs the package `sacrebleu`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from gpo.errors import ConfigError
from gpo.extras import install
from gpo.task.answer import Answer, Prediction
from gpo.task.example import Example
from gpo.task.metrics.split_level import Counts
from gpo.task.metrics.texts import as_text

_ORDERS = range(4)


def require_sacrebleu(name: str) -> None:
    """Raise `ConfigError` where what the metric `name` needs is missing."""
    try:
        import sacrebleu  # noqa: F401
    except ImportError:
        raise ConfigError(f"task.metric: {name} needs the extra metrics: {install('metrics')}") from None


class Bleu:
    """BLEU of a split (Papineni et al. 2002) with sacrebleu's defaults (tokens of 13a, exponential smoothing), from 0
    to 1: n-grams of all rows are counted together, and the brevity penalty is that of the whole."""

    def of_row(self, prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
        """Sentence BLEU, by the orders that the sentence has: for telling rows apart."""
        score = _bleu().sentence_score(as_text(prediction), [as_text(t) for t in targets])
        return _share(score.score)

    def counts(self, prediction: Prediction, targets: Sequence[Answer]) -> Counts:
        """N-grams that match and that there are, by their length; words of answer and of the nearest reference."""
        text = "" if prediction is None else as_text(prediction)
        found = _bleu().sentence_score(text, [as_text(target) for target in targets])
        return {
            **{f"right {n}": float(found.counts[n]) for n in _ORDERS},
            **{f"all {n}": float(found.totals[n]) for n in _ORDERS},
            "answer": float(found.sys_len),
            "reference": float(found.ref_len),
        }

    def score(self, totals: Counts) -> float:
        """BLEU of rows that add up to `totals`."""
        found = _bleu().compute_bleu(
            correct=[int(totals.get(f"right {n}", 0)) for n in _ORDERS],
            total=[int(totals.get(f"all {n}", 0)) for n in _ORDERS],
            sys_len=int(totals.get("answer", 0)),
            ref_len=int(totals.get("reference", 0)),
            smooth_method="exp",
        )
        return _share(found.score)


def chrf(prediction: Answer, targets: Sequence[Answer], example: Example) -> float:
    """chrF2 of one answer (Popović 2015), from 0 to 1: characters up to six in a row, recall weighing twice."""
    return _share(_chrf().sentence_score(as_text(prediction), [as_text(target) for target in targets]).score)


def _share(points: float) -> float:
    return min(1.0, max(0.0, float(points) / 100))


@cache
def _bleu() -> Any:
    from sacrebleu.metrics.bleu import BLEU

    # Of single sentences alone: sums over a split are scored by all orders.
    return BLEU(effective_order=True)


@cache
def _chrf() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()
