"""ROUGE-L against Google's `rouge-score` on all WebNLG references: with those of the same row and of the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rouge_score.rouge_scorer import RougeScorer

from gpo.task.metrics.rouge import rouge_l

WEBNLG = Path(__file__).resolve().parents[2] / "../shared/data/webnlg"
SPLITS = ("train", "dev", "test", "format", "demos")
pytestmark = pytest.mark.skipif(
    not WEBNLG.is_dir(), reason="the shared benchmark data is not beside this checkout"
)


def rows(split: str) -> list[list[str]]:
    """The references of every row."""
    lines = (WEBNLG / f"{split}.jsonl").read_text("utf-8").split("\n")
    targets = [json.loads(line)["target"] for line in lines if line]
    return [target if isinstance(target, list) else [target] for target in targets]


def pairs(references: list[list[str]]) -> Iterator[tuple[str, str]]:
    """Every reference with every one of its row and of the next; the last row is followed by the first."""
    for number, row in enumerate(references):
        following = references[(number + 1) % len(references)]
        for prediction in row:
            for reference in (*row, *following):
                yield prediction, reference


@pytest.mark.parametrize("split", SPLITS)
def test_rouge_l_equals_the_reference_implementation(split: str) -> None:
    oracle = RougeScorer(["rougeL"], use_stemmer=True)
    compared = list(pairs(rows(split)))
    assert len(compared) > 20
    worst = max(
        abs(rouge_l(prediction, reference) - oracle.score(reference, prediction)["rougeL"].fmeasure)
        for prediction, reference in compared
    )
    assert worst < 1e-9


def test_every_row_is_covered() -> None:
    everything = [row for split in SPLITS for row in rows(split)]
    assert len(everything) == 510
    assert len({text for pair in pairs(everything) for text in pair}) == len(
        {t for row in everything for t in row}
    )
