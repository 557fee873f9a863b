"""ROUGE-L beside the `rouge-score` package on the same pairs of texts: the time of each and the ratio.

    python -m benchmarks.rouge [--data ../shared/data/webnlg]

The pairs are references of WebNLG, each with every one of its row and of the next, or sentences made up here where
that folder is absent. Both are warmed up; they take turns, and the median of five counts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gpo.task.metrics.rouge import rouge_l

ROUNDS = 5
_WORDS = (
    "the",
    "a",
    "lake",
    "city",
    "of",
    "Norland",
    "is",
    "was",
    "built",
    "by",
    "1962",
    "tall",
    "known",
    "for",
)
_SPLITS = ("train", "dev", "test", "format", "demos")

Pair = tuple[str, str]


def pairs_of(folder: Path) -> list[Pair]:
    """(prediction, reference) out of the rows in `folder`."""
    pairs: list[Pair] = []
    for split in _SPLITS:
        lines = (folder / f"{split}.jsonl").read_text("utf-8").split("\n")
        targets = [json.loads(line)["target"] for line in lines if line]
        rows = [target if isinstance(target, list) else [target] for target in targets]
        for number, row in enumerate(rows):
            others = (*row, *rows[(number + 1) % len(rows)])
            pairs += [(prediction, reference) for prediction in row for reference in others]
    return pairs


def made_up(count: int = 8000) -> list[Pair]:
    """Pairs of sentences of 8 to 40 words, always the same ones."""
    rng = random.Random(0)

    def sentence() -> str:
        return " ".join(rng.choices(_WORDS, k=rng.randint(8, 40))).capitalize() + "."

    return [(sentence(), sentence()) for _ in range(count)]


def seconds(score: Callable[[str, str], float], pairs: Sequence[Pair]) -> float:
    """The CPU seconds that `score` takes for all `pairs`: neither waits for anything, and other work does not count."""
    start = time.process_time()
    for prediction, reference in pairs:
        score(prediction, reference)
    return time.process_time() - start


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/webnlg"))
    folder = parser.parse_args().data
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)

    def oracle(prediction: str, reference: str) -> float:
        return float(scorer.score(reference, prediction)["rougeL"].fmeasure)

    pairs = pairs_of(folder) if folder.is_dir() else made_up()
    print(f"{len(pairs):,} pairs, {'WebNLG references' if folder.is_dir() else 'made-up sentences'}")
    contenders = {"gpo": rouge_l, "rouge-score": oracle}
    worst = max(abs(rouge_l(*pair) - oracle(*pair)) for pair in pairs)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, score in contenders.items():
            times[name].append(seconds(score, pairs))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        print(f"{name:<12} {1e6 * median / len(pairs):8.1f} µs a pair (median of {ROUNDS})")
    print(f"ratio        {medians['rouge-score'] / medians['gpo']:8.1f}")
    print(f"largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
