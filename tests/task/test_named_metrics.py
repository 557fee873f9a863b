"""Metrics by name against values worked out by hand: macro F1, tolerances, patterns, BLEU and chrF."""

from __future__ import annotations

import sys

import pytest
import sacrebleu

import gpo
from gpo.errors import ConfigError, DataError
from gpo.task.example import Example
from gpo.task.metric import metric
from gpo.task.metrics.macro_f1 import MacroF1
from gpo.task.metrics.split_level import add_up
from gpo.task.metrics.translation import Bleu

EXAMPLE = Example("train:1", "question", "target")


def f1(expected: str, found: str) -> float:
    """Of one letter a row; "-" is an answer that could not be read."""
    one = MacroF1()
    rows = [one.counts(None if f == "-" else f, [e]) for e, f in zip(expected, found, strict=True)]
    return one.score(add_up(rows))


def test_macro_f1_by_hand() -> None:
    # a: expected 4, found 4, right 3: F1 = 6/8. b: 2, 1, 1: 2/3. c: 1, 2, 1: 2/3.
    assert f1("aaaabbc", "aaacbac") == pytest.approx((6 / 8 + 2 / 3 + 2 / 3) / 3)
    # The mean of rows would be 3/4; nothing of the rare class is right.
    assert f1("aaab", "aaaa") == pytest.approx((6 / 7 + 0) / 2)
    assert f1("ab", "ab") == 1.0
    assert f1("ab", "ba") == 0.0


def test_an_answer_of_no_class_misses_its_own_and_makes_none() -> None:
    # a: expected 2, found 1, right 1: 2/3; b: 2/2.
    assert f1("aab", "axb") == f1("aab", "a-b") == pytest.approx((2 / 3 + 1) / 2)
    assert f1("a", "-") == 0.0


def test_of_several_references_the_one_given_is_the_class() -> None:
    one = MacroF1()
    rows = [one.counts("b", ["a", "b"]), one.counts("A.", ["a"]), one.counts("c", ["a", "b"])]
    # b: 1 of 1 and 1 found; a: expected 2, found 1, right 1.
    assert one.score(add_up(rows)) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize(
    ("name", "found", "expected", "value"),
    [
        ("within 0.5", 10.5, 10.0, 1.0),
        ("within 0.5", 10.51, 10.0, 0.0),
        ("within 0.1", 0.3, 0.2, 1.0),
        ("within 2%", 98.0, 100.0, 1.0),
        ("within 2%", 97.9, 100.0, 0.0),
        ("within 2%", -98.0, -100.0, 1.0),
        ("within 2%", 0.001, 0.0, 0.0),
        ("within 0.5 or 2%", 0.4, 0.0, 1.0),
        ("within 0.5 or 2%", 981.0, 1000.0, 1.0),
        ("within 1e-3", 1.001, 1.0, 1.0),
    ],
)
def test_a_tolerance_by_hand(name: str, found: float, expected: float, value: float) -> None:
    assert metric(name)(found, [expected], EXAMPLE) == value
    assert metric(name)(found, [expected + 1e6, expected], EXAMPLE) == value


@pytest.mark.parametrize("name", ["within", "within x", "within -1", "within 5% or 2%", "within 1 or 2"])
def test_what_is_no_tolerance_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ConfigError, match=r"task\.metric: '.*' is not"):
        metric(name)


@pytest.mark.parametrize(
    ("pattern", "answer", "value"),
    [
        (r"\b(4|four)\b", "It is four.", 1.0),
        (r"\b(4|four)\b", "It is 42.", 0.0),
        (r"^(?i)yes\.?$", "YES", 1.0),
        (r"^yes$", "yes, maybe", 0.0),
    ],
)
def test_a_pattern_is_searched_in_the_answer(pattern: str, answer: str, value: float) -> None:
    pattern = pattern.replace("^(?i)", "(?i)^")
    assert metric("regex")(answer, ["unused"], Example("t:1", "q", pattern)) == value


def test_a_pattern_that_never_ends_is_given_up_and_named() -> None:
    with pytest.raises(ConfigError, match=r"example t:7 takes more than"):
        metric("regex")("a" * 4000 + "!", [""], Example("t:7", "q", r"^(a|a|aa)+$"))


def test_a_target_that_is_no_pattern_is_named_with_its_row() -> None:
    rows = [{"input": f"q{n}", "target": "(" if n == 5 else "x"} for n in range(9)]
    with pytest.raises(DataError, match="no regular expression"):
        gpo.Task.from_rows(rows, split={"train": 3, "dev": 3, "test": 3}, metric="regex")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("f1", "text", "f1 is for answers that are classes"), ("within 1", "text", "within 1 is for numbers")],
)
def test_a_metric_of_other_answers_is_refused(name: str, kind: str, words: str) -> None:
    rows = [{"input": f"q{n}", "target": str(n)} for n in range(9)]
    with pytest.raises(ConfigError, match=words):
        gpo.Task.from_rows(rows, split={"train": 3, "dev": 3, "test": 3}, metric=name, answer=kind)


def test_bleu_of_a_split_is_sacrebleus_and_not_the_mean_of_rows() -> None:
    pairs = [
        ("the cat sat on the mat", ["the cat sat on a mat", "a cat was sitting on the mat"]),
        ("hello there", ["hello there my old friend", "hi"]),
        ("nothing in common with it", ["quite another long sentence", "and one more of them"]),
    ]
    bleu = Bleu()
    rows = [bleu.counts(found, targets) for found, targets in pairs]
    streams = [[targets[n] for _, targets in pairs] for n in range(2)]
    whole = sacrebleu.corpus_bleu([found for found, _ in pairs], streams).score / 100
    assert bleu.score(add_up(rows)) == pytest.approx(whole, abs=1e-9)
    assert bleu.score(add_up(bleu.counts(t[0], t) for _, t in pairs)) == 1.0
    assert add_up([bleu.counts(None, ["a b"])]) == add_up([bleu.counts("", ["a b"])])
    of_rows = [metric("bleu")(found, targets, EXAMPLE) for found, targets in pairs]
    assert sum(of_rows) / 3 != pytest.approx(whole, abs=0.01)


def test_chrf_by_hand() -> None:
    assert metric("chrf")("abc", ["abc"], EXAMPLE) == pytest.approx(1.0)
    # "ab" for "ac" shares 1 of 2 letters and no pair, and there is nothing longer: (1/2 + 0) / 2.
    assert metric("chrf")("ab", ["ac"], EXAMPLE) == pytest.approx(0.25)


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sacrebleu", "regex"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("bleu", "chrf"):
        with pytest.raises(ConfigError, match=rf"task\.metric: {name} needs the extra metrics: pip install"):
            metric(name)
    with pytest.raises(ConfigError, match=r"task\.metric: regex needs the extra metrics"):
        metric("regex")("x", [""], Example("t:1", "q", "a pattern that was not compiled before"))
