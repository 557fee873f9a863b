"""Metrics: exact match, ROUGE-L against its reference implementation, and own functions."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from gpo.errors import ConfigError
from gpo.task.example import Example
from gpo.task.metric import metric
from gpo.task.metrics.rouge import rouge_l
from gpo.task.metrics.texts import equal, is_same_text, normalised

EXAMPLE = Example("train:1", "question", "The target.", {"input": "question"})
ORACLE = RougeScorer(["rougeL"], use_stemmer=True)
SHARED = Path(__file__).resolve().parents[2] / "../shared/data"


def oracle(prediction: str, reference: str) -> float:
    return float(ORACLE.score(reference, prediction)["rougeL"].fmeasure)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("The Cat.", "the  cat", True),
        ("a cat", "the cat", False),
        ('"Paris!"', "paris", True),
        ("Monsters, Inc", "monsters inc.", True),
        ("3.5", "35", False),
        ("1,234", "1234", False),
        ("] ]", "] ] ]", False),
        ("...", "!", False),
        ("straße", "STRASSE", True),
    ],
)
def test_exact_match_forgives_case_punctuation_and_space(one: str, other: str, same: bool) -> None:
    assert (normalised(one) == normalised(other)) is same
    assert metric("exact_match")(one, [other], EXAMPLE) == float(same)
    assert metric("accuracy")(one, ["something else", other], EXAMPLE) == float(same)


def test_numbers_are_equal_within_a_millionth() -> None:
    assert equal(18.0, 18.0000001)
    assert equal(1e12, 1e12 + 1)
    assert not equal(18.0, 18.001)
    assert equal(18.0, "18")


def test_words_are_compared_in_order() -> None:
    assert equal(("a", "b"), ("a", "b"))
    assert not equal(("b", "a"), ("a", "b"))


def test_rouge_l_by_hand() -> None:
    # LCS "the cat the mat" (4) of 6 and 5 words: P = 4/6, R = 4/5, F = 2PR/(P+R) = 8/11.
    assert rouge_l("The cat sat on the mat", "the cat, the red mat") == pytest.approx(8 / 11, abs=1e-12)
    assert rouge_l("(B)", "(b)") == 1.0
    # Stemmed "play footbal in citi" and "play footbal in the citi": P = 1, R = 4/5, F = 8/9; two words without it.
    assert rouge_l("Plays football in cities.", "Played football in the city") == pytest.approx(
        8 / 9, abs=1e-12
    )
    assert rouge_l("", "x") == rouge_l("x", "...") == 0.0


def test_rouge_l_takes_the_best_reference() -> None:
    assert metric("rouge_l")("a b", ["x y", "a b c d", "b"], EXAMPLE) == pytest.approx(2 / 3)


@given(st.text("ab c,éß.'1\n", max_size=40), st.text("ab c,éß.'1\n", max_size=40))
def test_rouge_l_equals_the_reference_implementation(prediction: str, reference: str) -> None:
    assert rouge_l(prediction, reference) == pytest.approx(oracle(prediction, reference), abs=1e-9)


@given(st.text(max_size=30), st.text(max_size=30))
def test_rouge_l_is_symmetric_and_within_range(one: str, other: str) -> None:
    assert 0.0 <= rouge_l(one, other) <= 1.0
    assert rouge_l(one, other) == pytest.approx(rouge_l(other, one))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared benchmark data is not beside this checkout")
def test_rouge_l_equals_the_reference_implementation_on_webnlg() -> None:
    rows = [json.loads(line) for line in (SHARED / "webnlg/dev.jsonl").read_text("utf-8").splitlines()]
    texts = [row["target"] if isinstance(row["target"], list) else [row["target"]] for row in rows]
    for row, neighbour in pairwise(texts):
        for reference in row:
            for prediction in (row[0], neighbour[0]):
                assert rouge_l(prediction, reference) == pytest.approx(
                    oracle(prediction, reference), abs=1e-9
                )


def test_which_metrics_are_zero_or_one() -> None:
    def graded(prediction: str, target: str) -> float:
        return 0.5

    def strict(prediction: str, target: str) -> float:
        return 1.0

    strict.binary = True  # type: ignore[attr-defined]
    chosen = [metric("exact_match"), metric("accuracy"), metric("rouge_l"), metric(graded), metric(strict)]
    assert [one.binary for one in chosen] == [True, True, False, False, True]


def test_an_own_metric_gets_the_target_or_the_example() -> None:
    def by_target(prediction: str, target: str) -> float:
        return float((prediction, target) == ("7", "The target."))

    def by_example(prediction: str, example: Example) -> bool:
        return example.fields["input"] == "question" and prediction == "a b"

    assert metric(by_target)(7.0, [], EXAMPLE) == 1.0
    assert metric(by_example)(("a", "b"), [], EXAMPLE) == 1.0


def test_an_own_metric_that_fails_or_leaves_the_range_is_one_clear_line() -> None:
    def percent(prediction: str, target: str) -> float:
        return 85

    def broken(prediction: str, target: str) -> float:
        raise KeyError("score\nmissing")

    def nothing(prediction: str, target: str) -> None:
        return None

    def one_argument(prediction: str) -> float:
        return 1.0

    with pytest.raises(
        ConfigError, match="percent returned 85 for example train:1; return a number from 0 to 1"
    ):
        metric(percent)("x", [], EXAMPLE)
    with pytest.raises(ConfigError, match=r"broken failed on example train:1: KeyError: .*missing") as caught:
        metric(broken)("x", [], EXAMPLE)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="nothing failed"):
        metric(nothing)("x", [], EXAMPLE)
    with pytest.raises(ConfigError, match="must take two arguments"):
        metric(one_argument)

    def leaves(prediction: str, target: str) -> float:
        sys.exit(0)

    with pytest.raises(ConfigError, match="leaves failed on example train:1: SystemExit: 0"):
        metric(leaves)("x", [], EXAMPLE)


def test_a_metric_by_path(tmp_path: Path) -> None:
    (tmp_path / "own_metric_by_path.py").write_text(
        "def first_letter(prediction, target):\n    return prediction[:1] == target[:1]\nnumber = 3\n"
    )
    assert metric("own_metric_by_path:first_letter", base_dir=tmp_path)("Tea", [], EXAMPLE) == 1.0
    for wrong, problem in [
        ("own_metric_by_path:number", "is not a function"),
        ("own_metric_by_path:absent", "AttributeError"),
        ("no_such_module_here:f", "ModuleNotFoundError"),
        ("blue", "is not known"),
    ]:
        with pytest.raises(ConfigError, match=problem):
            metric(wrong, base_dir=tmp_path)


@given(
    st.text(alphabet="aB1.,! \n“", max_size=30),
    st.text(alphabet="aB1.,! \n“", max_size=30),
    st.sampled_from(["", " ", "!", " . ", "x ", "1.", "“ ”"]),
    st.sampled_from([0, 3, 5000]),
)
def test_a_long_text_is_the_same_as_a_short_one_where_both_are_normalised_alike(
    one: str, other: str, filler: str, times: int
) -> None:
    for long in (one + filler * times, filler * times + one):
        assert is_same_text(long, other) == (normalised(long) == normalised(other))
        assert is_same_text(other, long) == is_same_text(long, other)
