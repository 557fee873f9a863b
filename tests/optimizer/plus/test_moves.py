"""The moves and what orders rows: pure functions of their seed, and each does what its name says."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.config.plus import PlusConfig
from gpo.evaluation.outcome import Outcome
from gpo.optimizer.candidates import Guard
from gpo.optimizer.plus.guessing import is_guessing
from gpo.optimizer.plus.moves import demonstrations as demos
from gpo.optimizer.plus.moves import edits
from gpo.optimizer.plus.moves.library import FINAL, THINK, build_library
from gpo.optimizer.plus.moves.shares import count_replies, share_out
from gpo.optimizer.plus.moves.trial import MoveTrial
from gpo.optimizer.plus.moves.trust_region import TrustRegion
from gpo.optimizer.plus.rows import order_freshest_first, order_rows
from gpo.task.demonstrations import Demonstration
from gpo.task.example import Example
from gpo.task.task import Task

POOL = tuple(Demonstration(f"Row {i}", "ab"[i % 2]) for i in range(12))
CLAUSES = ("Answer with one word.", "Be brief.")


def task(labels: int = 2, train: int = 24, **options: object) -> Task:
    rows = [{"input": f"Row {i}?", "target": f"label{i % labels}"} for i in range(train + 10)]
    answer = {"kind": "label", "labels": [f"label{i}" for i in range(labels)]}
    splits = {"train": rows[:train], "dev": rows[train : train + 8], "test": rows[train + 8 :]}
    return Task.from_rows(splits, answer=answer, **options)  # type: ignore[arg-type]


@given(words=st.text(max_size=80), seed=st.integers(0, 50))
def test_an_edit_is_a_function_of_its_seed(words: str, seed: int) -> None:
    assert edits.edit(words, CLAUSES, Random(seed)) == edits.edit(words, CLAUSES, Random(seed))


def test_edits() -> None:
    words = "Read it well. Think, then answer. Be brief."
    assert edits.split_phrases(words) == ["Read it well.", "Think,", "then answer.", "Be brief."]
    dropped = {edits.drop_phrase(words, CLAUSES, Random(seed)) for seed in range(40)}
    assert dropped == {
        "Think, then answer. Be brief.",
        "Read it well. then answer. Be brief.",
        "Read it well. Think, Be brief.",
        "Read it well. Think, then answer.",
    }
    swapped = edits.swap_phrases("One. Two.", CLAUSES, Random(0))
    assert swapped == "Two. One."
    assert {edits.add_clause("Hello.", CLAUSES[:1], Random(seed)) for seed in range(20)} == {
        "Answer with one word. Hello.",
        "Hello. Answer with one word.",
    }
    assert edits.add_clause("Be brief.", CLAUSES[1:], Random(0)) == "Be brief.", "it is there already"
    assert edits.move_clause("Be brief. Hello.", CLAUSES, Random(0)) == "Hello. Be brief."
    assert edits.move_clause("Hello. Be brief.", CLAUSES, Random(0)) == "Be brief. Hello."
    assert edits.drop_phrase("Hello", CLAUSES, Random(0)) == "Hello", "the last word stays"


@given(size=st.integers(0, demos.MOST), seed=st.integers(0, 200))
def test_a_move_of_demonstrations_is_near_and_repeatable(size: int, seed: int) -> None:
    shown = POOL[:size]
    found = demos.move(shown, POOL, Random(seed))
    assert found == demos.move(shown, POOL, Random(seed))
    assert len(set(found)) == len(found) <= demos.MOST
    assert set(found) <= set(POOL)
    assert found != shown
    if shown:
        near = len(set(shown) ^ set(found)) <= 2
        assert near or len(found) == len(shown), "a new draw has as many"


def test_every_other_move_of_demonstrations_draws_anew() -> None:
    shown = POOL[:4]
    far = [len(set(shown) ^ set(demos.move(shown, POOL, Random(seed)))) > 2 for seed in range(400)]
    assert 0.3 < sum(far) / len(far) <= 0.55
    drawn = [
        Counter(item.answer for item in demos.draw_balanced(POOL, Random(seed), 4)) for seed in range(20)
    ]
    assert all(counts == {"a": 2, "b": 2} for counts in drawn)


def test_a_first_set_is_balanced() -> None:
    for seed in range(10):
        drawn = demos.draw_balanced(POOL, Random(seed))
        assert Counter(item.answer for item in drawn) == {"a": 2, "b": 2}
    many = tuple(Demonstration(f"Row {i}", str(i % 10)) for i in range(40))
    assert len({item.answer for item in demos.draw_balanced(many, Random(0))}) == 6


def test_no_row_is_both_shown_and_scored() -> None:
    dealt = demos.deal(task(), "", Random(0))
    shown = {item.input for item in dealt.shown}
    fresh = {example.input for example in dealt.fresh}
    assert (len(shown), len(fresh), len(shown & fresh)) == (12, 12, 0)
    assert dealt == demos.deal(task(), "", Random(0))


def test_a_small_train_split_is_kept_for_the_duel() -> None:
    dealt = demos.deal(task(train=7), "", Random(0))
    assert (len(dealt.shown), len(dealt.fresh)) == (0, 7)
    assert "train has 7 rows" in dealt.warnings[0]
    fixed = demos.deal(task(demonstrations=3), "", Random(0))
    assert (len(fixed.shown), len(fixed.fresh)) == (0, 21), "what the task shows is not scored"


def test_rows_alternate_labels_and_the_telling_ones_come_first() -> None:
    labels = ["a", "a", "a", "b", "b", "b"]
    order = order_rows(labels, [0.1, 0.25, 0.2, 0.05, 0.1, 0.24], Random(0))
    assert [labels[row] for row in order] in (["a", "b"] * 3, ["b", "a"] * 3)
    assert [row for row in order if labels[row] == "a"] == [1, 2, 0]
    assert [row for row in order if labels[row] == "b"] == [5, 4, 3]
    assert sorted(order_rows(labels, None, Random(1))) == list(range(6))
    assert order_freshest_first([2, 0, 1, 0], Random(0))[2:] == [2, 0]


def outcome(prediction: str | None, value: float | None = 0.0) -> Outcome:
    return Outcome(Example("", "", ""), value, prediction, failure=None if value is not None else "lost")


@pytest.mark.parametrize(
    ("said", "labels", "guessing"),
    [
        (["a"] * 8, ["a", "b"] * 4, True),
        (["a"] * 7, ["a", "b"] * 3 + ["a"], False),  # too few rows
        (["a"] * 9 + ["b"], ["a", "b"] * 5, True),
        (["a"] * 8 + ["b"] * 2, ["a", "b"] * 5, False),
        (["a"] * 8, ["a"] * 8, False),  # to say the same is right
        ([None] * 8, ["a", "b"] * 4, False),  # nothing read is no answer
    ],
)
def test_guessing(said: list[str | None], labels: list[str], guessing: bool) -> None:
    assert is_guessing([outcome(item) for item in said], labels) is guessing


def test_the_library_says_what_an_answer_is() -> None:
    starts = build_library(task(), "Let us see", 256, Guard(initial="Let us see"), POOL[:4])
    words = [start.words for start in starts]
    assert words[0] == "Let us see"
    assert {"", FINAL, THINK, "Answer with exactly one of these: label0, label1."} <= set(words)
    assert sum(bool(start.demonstrations) for start in starts) == len(starts) / 2
    assert [start.name for start in starts[:6]] == [
        "start",
        "label hint",
        "label hint, with demonstrations",
        "final answer only",
        "final answer only, with demonstrations",
        "start, with demonstrations",
    ]
    short = build_library(task(), "Let us see", 8, Guard(initial="Let us see"), ())
    assert THINK not in [start.words for start in short], "no room to think"


def test_a_prompt_that_holds_the_question_keeps_it() -> None:
    guard = Guard(initial="{input} Now?", required=("input",))
    for start in build_library(task(), "{input} Now?", 256, guard, ()):
        assert start.words.startswith("{input} Now?")


def test_the_moves_of_a_step() -> None:
    settings = PlusConfig()
    four = share_out(4, settings, 0, reflection=True, demonstrations=True)
    assert four == ("meta-prompt", "meta-prompt", "edit", "demonstrations")
    assert share_out(4, settings, 1, reflection=True, demonstrations=True).count("reflection") == 1
    six = Counter(share_out(6, settings, 0, reflection=True, demonstrations=True))
    assert six == {"meta-prompt": 3, "edit": 1, "demonstrations": 1, "reflection": 1}
    weak = [
        share_out(4, settings, step, reflection=False, demonstrations=True, writing=False) for step in (0, 1)
    ]
    assert Counter(weak[0]) == {"edit": 2, "demonstrations": 2}
    assert Counter(weak[1]) == {"edit": 1, "demonstrations": 2, "meta-prompt": 1}
    assert share_out(4, settings, 0, reflection=False, demonstrations=False, writing=False) == ("edit",) * 4
    bare = PlusConfig(edits=False, demonstrations=False, reflection=False)
    assert (
        share_out(4, bare, 0, reflection=False, demonstrations=False, writing=False) == ("meta-prompt",) * 4
    )
    assert share_out(4, bare, 0, reflection=False, demonstrations=False) == ("meta-prompt",) * 4


@given(st.integers(2, 8), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3))
def test_no_step_asks_for_more_replies_than_are_counted(
    candidates: int, edit: bool, shown: bool, reflection: bool, step: int
) -> None:
    settings = PlusConfig(edits=edit, demonstrations=shown, reflection=reflection)
    for pool in (False, shown):
        moves = share_out(candidates, settings, step, reflection=reflection, demonstrations=pool)
        assert len(moves) == candidates
        # Where there is no failure to reflect on, the meta-prompt is asked for one more.
        asked = moves.count("meta-prompt") + moves.count("reflection")
        assert asked <= count_replies(candidates, settings, demonstrations=pool)


def test_a_move_has_to_win_after_its_trials() -> None:
    trial = MoveTrial(3)
    for won in (False, False):
        trial.note(won=won)
    assert trial.earns(4, 2)
    trial.note(won=False)
    assert not trial.earns(4, 2)
    lucky = MoveTrial(3, tried=3, won=2)
    assert lucky.earns(4, 2)
    assert not MoveTrial(3, tried=6, won=1).earns(6, 2)


def test_the_trust_region_grows_after_a_gain_and_shrinks_after_none() -> None:
    region = TrustRegion()
    limits = [region.limit(0, 9)]
    # 50 · 1.5 = 75; 112.5 is more than twice 50; then 100 · 0.6 = 60, 36, 21.6, 12.96; 7.776 is under 10.
    for better in (True, True, False, False, False, False, False):
        region.note(better=better)
        limits.append(region.limit(0, 9))
    assert limits == [50, 75, 100, 60, 36, 21, 12, 10]


def test_a_move_of_one_part_leaves_the_others() -> None:
    pool = [Demonstration(f"{part} {n}", "x", part=part) for part in ("b", "a") for n in range(6)]
    shown: tuple[Demonstration, ...] = ()
    rng = Random(0)
    for turn in range(40):
        part = "ab"[turn % 2]
        moved = demos.move_part(shown, pool, part, rng)
        other = "ba"[turn % 2]
        assert demos.in_part(moved, other) == demos.in_part(shown, other)
        assert demos.in_part(moved, part) != demos.in_part(shown, part)
        assert [item.part for item in moved] == sorted(item.part for item in moved)
        shown = moved
