"""Scores of a whole split: intervals, the permutation test, and whole runs that optimize macro F1."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import ConfigError
from gpo.evaluation.statistics import compare_split_level, split_interval
from gpo.task.metrics.macro_f1 import MacroF1
from tests.support.server import ModelServer, last_text

F1 = MacroF1()


def counts(expected: str, found: str) -> list[Any]:
    return [F1.counts(f, [e]) for e, f in zip(expected, found, strict=True)]


def test_the_p_value_is_that_of_all_swaps() -> None:
    expected, before, after = "aabbab", "bbabba", "aabbab"

    def score(found: list[str]) -> float:
        from gpo.task.metrics.split_level import add_up

        return F1.score(add_up(counts(expected, "".join(found))))

    seen = score(list(after)) - score(list(before))
    gains = []
    for swaps in itertools.product((False, True), repeat=6):
        one = [a if s else b for b, a, s in zip(before, after, swaps, strict=True)]
        other = [b if s else a for b, a, s in zip(before, after, swaps, strict=True)]
        gains.append(score(other) - score(one))
    exact = sum(abs(gain) >= abs(seen) - 1e-12 for gain in gains) / len(gains)
    found = compare_split_level(counts(expected, before), counts(expected, after), F1.score, seed=1)
    assert found.mean == pytest.approx(seen)
    # 1,999 draws and the seen one: the standard error is about 0.005.
    assert found.p_value == pytest.approx(exact, abs=0.025)


def test_the_interval_of_a_mean_is_near_the_one_that_is_known() -> None:
    # A score that is a mean of 0/1 values: sd 0.5 / sqrt(400) = 0.025, so 95 % is 0.049 to either side.
    rows = [{"right": float(n % 2), "all": 1.0} for n in range(400)]
    found = split_interval(rows, lambda totals: totals["right"] / totals["all"], seed=3)
    assert found.mean == 0.5
    assert found.low == pytest.approx(0.451, abs=0.006)
    assert found.high == pytest.approx(0.549, abs=0.006)


def test_alike_prompts_differ_by_nothing_and_many_rows_stay_handy() -> None:
    generator = random.Random(5)
    expected = "".join(generator.choice("abc") for _ in range(3_000))
    found = "".join(e if generator.random() < 0.8 else "a" for e in expected)
    same = compare_split_level(counts(expected, found), counts(expected, found), F1.score, seed=0)
    assert (same.mean, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    better = compare_split_level(counts(expected, found), counts(expected, expected), F1.score, seed=0)
    assert better.verdict == "better"
    assert 0 < better.low < better.mean < better.high < 0.5
    with pytest.raises(ValueError, match="at least one row"):
        split_interval([], F1.score, seed=0)


ROWS = [{"input": f"mail {n}", "target": "rare" if n % 6 == 0 else "usual"} for n in range(72)]
SPLITS = {"train": ROWS[:12], "dev": ROWS[12:36], "test": ROWS[36:]}


def answer(body: dict[str, Any]) -> str:
    """Always "usual" but for the prompt that looks for what is rare, which misses some of it."""
    text = last_text(body)
    if "<START>" in text:
        return f"<START>Find what is rare, please, {body.get('seed')}.<END>"
    if "mail " not in text:
        return "Yes."  # to the tiny call that begins a run
    number = int(text.split("mail ")[1].split()[0])
    return "rare" if number % 6 == 0 and "Find what" in text and number % 12 == 0 else "usual"


def run(server: ModelServer, tmp_path: Path, **changes: Any) -> gpo.Result:
    server.answer = answer
    model = {"model": "m", "base_url": server.base_url}
    task = gpo.Task.from_rows(SPLITS, answer="label", metric="f1")
    options: dict[str, Any] = {
        "prompt": "Rare or usual?",
        "models": model,
        "method": "ape",
        "optimize": {"epochs": 1, "batch_size": 12, "candidates": 3},
        "run_dir": tmp_path / "run",
        **changes,
    }
    return gpo.optimize(task, **options)


def test_a_run_optimizes_the_score_of_the_split(server: ModelServer, tmp_path: Path) -> None:
    result = run(server, tmp_path)
    # dev: 20 usual, 4 rare. Always "usual": F1 of usual 40/44, of rare 0. With half of the rare: 40/42 and 4/6.
    assert result.scores.initial.dev == pytest.approx((40 / 44 + 0) / 2)
    assert result.scores.best.dev == pytest.approx((40 / 42 + 4 / 6) / 2)
    # test: 30 usual, 6 rare.
    assert result.scores.initial.test == pytest.approx((60 / 66 + 0) / 2)
    assert result.improvement.test == pytest.approx((60 / 63 + 6 / 9) / 2 - (60 / 66) / 2)
    assert result.improvement.rows == 36
    assert result.improvement.ci_low is not None
    assert result.improvement.ci_low < result.improvement.test < 1  # type: ignore[operator]
    before = server.stats.calls
    (tmp_path / "run/result.json").unlink()
    again = run(server, tmp_path)
    assert again.scores == result.scores
    assert again.improvement == result.improvement
    assert server.stats.calls == before


def test_racing_ranks_by_the_score_of_the_part(server: ModelServer, tmp_path: Path) -> None:
    result = run(
        server, tmp_path, evaluation="racing", optimize={"epochs": 1, "batch_size": 12, "candidates": 6}
    )
    assert result.scores.best.dev == pytest.approx((40 / 42 + 4 / 6) / 2)


def test_evaluate_gives_its_interval(server: ModelServer) -> None:
    server.answer = answer
    task = gpo.Task.from_rows(SPLITS, answer="label", metric="f1")
    model = {"model": "m", "base_url": server.base_url}
    found = gpo.evaluate(task, "Find what is rare.", model=model)
    assert found.interval.mean == pytest.approx((60 / 63 + 6 / 9) / 2)
    assert 0.4 < found.interval.low < found.interval.mean < found.interval.high <= 1
    json.dumps(found.to_dict())


def test_gpo_plus_says_that_it_needs_scores_of_rows(server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="f1 is a score of the whole split"):
        run(server, tmp_path, method={"name": "gpo+", "budget": 60})
