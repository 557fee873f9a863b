"""The loop on scripted models: which candidate becomes current, when it stops, what is rejected, what a record says."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gpo.optimizer.candidates import Guard
from gpo.optimizer.loop import Loop, LoopSettings
from gpo.optimizer.methods import Method
from gpo.optimizer.parts.edit_distance import NoLimit
from gpo.optimizer.parts.information import PromptInformation
from gpo.optimizer.parts.refinement import Generation
from gpo.optimizer.parts.trajectory import Recency
from gpo.optimizer.search import StepRecord
from tests.optimizer.scripted import ScriptedOptimizer, ScriptedTaskModel, workbench


@dataclass
class Falling:
    """An own schedule that keeps what it was asked."""

    asked: list[tuple[int, int]] = field(default_factory=list)

    def limit(self, step: int, total: int) -> int | None:
        self.asked.append((step, total))
        return 9 - step


def recency(edit_distance: NoLimit | Falling | None = None) -> Method:
    return Method(
        "mine", PromptInformation(True, False), Recency(3), edit_distance or NoLimit(), Generation()
    )


@dataclass
class Diary:
    """A listener."""

    started: list[tuple[int, int, int | None, float]] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)

    def step_started(self, step: int, total: int, limit: int | None, best_score: float) -> None:
        assert len(self.finished) == step
        self.started.append((step, total, limit, best_score))

    def step_finished(self, record: StepRecord) -> None:
        self.finished.append(record.step)


ROWS = {
    "start": {0},  # 0.25 of 4 dev rows
    "one": {0, 1},
    "two": {0, 1, 2},
    "three": {3},
    "four": {2, 3},
    "five": {0, 3},
    "six": set[int](),
}


async def test_the_best_new_candidate_becomes_current_and_the_best_of_all_is_the_answer() -> None:
    optimizer = ScriptedOptimizer([["one", "two"], ["three", "four"], ["five", "six"]])
    bench = workbench(ScriptedTaskModel(ROWS), optimizer)
    found = await Loop(recency(), bench, Guard(), LoopSettings(steps=3, candidates=2)).run("start")
    # A step's best becomes current even where it is worse than its parent; of equals, the first.
    assert [(s.parent, s.chosen) for s in found.steps] == [
        ("start", "two"),
        ("two", "four"),
        ("four", "five"),
    ]
    assert [(s.parent_score, s.chosen_score, s.best_score) for s in found.steps] == [
        (0.25, 0.75, 0.75),
        (0.75, 0.5, 0.75),
        (0.5, 0.5, 0.75),
    ]
    assert (found.initial, found.best, found.stopped) == ("start", "two", "all steps done")
    assert [[(c.prompt, c.score) for c in s.candidates] for s in found.steps] == [
        [("one", 0.5), ("two", 0.75)],
        [("three", 0.25), ("four", 0.5)],
        [("five", 0.5), ("six", 0.0)],
    ]
    assert [s.scored for s in found.steps] == [2, 2, 2]
    assert not any(s.estimated for s in found.steps)
    # Recency with k = 3: the two prompts before the current one.
    assert [[p.prompt for p in s.shown.earlier] for s in found.steps] == [[], ["start"], ["start", "two"]]


async def test_of_equal_candidates_the_first_is_taken() -> None:
    optimizer = ScriptedOptimizer([["four", "one", "five"]])
    bench = workbench(ScriptedTaskModel(ROWS), optimizer)
    found = await Loop(recency(), bench, Guard(), LoopSettings(steps=1, candidates=3)).run("start")
    assert found.best == found.steps[0].chosen == "four"


@pytest.mark.parametrize(("patience", "steps"), [(1, 2), (2, 3), (None, 4)])
async def test_patience_counts_steps_without_a_better_score(patience: int | None, steps: int) -> None:
    optimizer = ScriptedOptimizer([["two"], ["three"], ["four"], ["five"]])
    bench = workbench(ScriptedTaskModel(ROWS), optimizer)
    settings = LoopSettings(steps=4, candidates=1, patience=patience)
    found = await Loop(recency(), bench, Guard(), settings).run("start")
    # 0.75 is reached in the first step and never passed.
    assert len(found.steps) == steps
    told = "all steps done" if patience is None else f"no better dev score in {patience} steps"
    assert found.stopped == told


async def test_a_perfect_prompt_is_not_improved() -> None:
    optimizer = ScriptedOptimizer()
    bench = workbench(ScriptedTaskModel({"start": {0, 1, 2, 3}}), optimizer)
    found = await Loop(recency(), bench, Guard(), LoopSettings(steps=5)).run("start")
    assert (found.best, found.steps, found.stopped) == ("start", (), "the dev score cannot get better")
    assert optimizer.requests == []


async def test_rejected_candidates_are_sampled_again_and_say_why() -> None:
    optimizer = ScriptedOptimizer(
        [
            ["one", "start", "one"],  # a repetition of the parent, and one of a candidate
            ["two", "two"],
            ["start", "four", "two"],  # a step later: one that was current, the new one, the parent
            ["one", "three"],  # "one" was never current: it may come again
        ]
    )
    bench = workbench(ScriptedTaskModel(ROWS), optimizer)
    settings = LoopSettings(steps=2, candidates=3, resamples=1)
    found = await Loop(recency(), bench, Guard(), settings).run("start")
    assert [request.n for request in optimizer.asked("candidates")] == [3, 2, 3, 2]
    same, unchanged, before = (
        "is the same as another candidate of the step",
        "does not change the current prompt",
        "was the current prompt before",
    )
    assert [(c.prompt, c.attempt, c.rejected, c.score) for c in found.steps[0].candidates] == [
        ("one", 0, None, 0.5),
        ("start", 0, unchanged, None),
        ("one", 0, same, None),
        ("two", 1, None, 0.75),
        ("two", 1, same, None),
    ]
    assert [(c.prompt, c.attempt, c.rejected) for c in found.steps[1].candidates] == [
        ("start", 0, before),
        ("four", 0, None),
        ("two", 0, unchanged),
        ("one", 1, None),
        ("three", 1, None),
    ]


async def test_a_model_that_gives_more_than_was_asked_for_is_not_asked_again() -> None:
    optimizer = ScriptedOptimizer([["one", "two", "three"]])
    bench = workbench(ScriptedTaskModel(ROWS), optimizer)
    found = await Loop(recency(), bench, Guard(), LoopSettings(steps=1, candidates=2)).run("start")
    assert [request.n for request in optimizer.asked("candidates")] == [2]
    assert [item.prompt for item in found.steps[0].candidates] == ["one", "two", "three"]


async def test_a_step_without_a_new_candidate_stays_where_it_is() -> None:
    optimizer = ScriptedOptimizer([["start"], ["two"]])
    bench = workbench(ScriptedTaskModel(ROWS), optimizer)
    found = await Loop(recency(), bench, Guard(), LoopSettings(steps=2, candidates=1, resamples=0)).run(
        "start"
    )
    assert [(s.parent, s.chosen, s.scored) for s in found.steps] == [
        ("start", "start", 0),
        ("start", "two", 1),
    ]
    assert found.steps[1].shown.earlier == ()


async def test_a_score_is_read_anew_after_an_exclusion() -> None:
    # "start" is right on 2 of 4 rows. "one" cannot be scored on row 0, which then counts for nobody: 1 of 3 are left.
    rows = {"start": {0, 1}, "one": {1, 2}, "two": {1}, "four": {3}}
    optimizer = ScriptedOptimizer([["one", "two"], ["four"]])
    bench = workbench(ScriptedTaskModel(rows, refused={("one", 0)}), optimizer)
    loop = Loop(recency(), bench, Guard(), LoopSettings(steps=2, candidates=2, resamples=0))
    found = await loop.run("start")
    first, second = optimizer.texts()
    assert "Score: 50.0" in first
    assert "Score: 33.3" in second
    assert "Score: 66.7" in second
    assert "50.0" not in second
    assert [c.score for c in found.steps[0].candidates] == [pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert [p.score for p in found.steps[1].shown.earlier] == [pytest.approx(1 / 3)]
    assert loop.mean("start") == pytest.approx(1 / 3)


async def test_an_exclusion_may_change_which_prompt_is_best() -> None:
    # "start" and "two" are right on 3 of 4 rows each; without row 0 it is 2 of 3 against 3 of 3.
    rows = {"start": {0, 1, 2}, "one": {3}, "two": {1, 2, 3}}
    optimizer = ScriptedOptimizer([["two"], ["one"]])
    bench = workbench(ScriptedTaskModel(rows, refused={("one", 0)}), optimizer)
    found = await Loop(recency(), bench, Guard(), LoopSettings(steps=2, candidates=1)).run("start")
    # Equal at first, and the one that was scored first is the best.
    assert [(s.best, s.best_score) for s in found.steps] == [("start", 0.75), ("two", 1.0)]
    assert found.best == "two"


async def test_the_listener_hears_each_step_and_the_schedule_is_asked_once_a_step() -> None:
    optimizer = ScriptedOptimizer([["one"], ["two"], ["three"]])
    schedule, diary = Falling(), Diary()
    bench = workbench(ScriptedTaskModel(ROWS), optimizer)
    loop = Loop(recency(schedule), bench, Guard(), LoopSettings(steps=3, candidates=1), diary)
    found = await loop.run("start")
    assert diary.started == [(0, 3, 9, 0.25), (1, 3, 8, 0.5), (2, 3, 7, 0.75)]
    assert diary.finished == [0, 1, 2]
    assert schedule.asked == [(0, 3), (1, 3), (2, 3)]
    assert [s.limit for s in found.steps] == [9, 8, 7]
    assert all(f"at most {9 - i} words" in text for i, text in enumerate(optimizer.texts()))


async def test_a_prompt_of_the_same_words_keeps_the_score_and_the_spelling_that_came_first() -> None:
    rows = {"start": {0}, "look here": {0, 1, 2}, "look  here": {3}, "one": {0, 1, 2, 3}, "two": {0, 1}}
    optimizer = ScriptedOptimizer([["look here", "two"], ["look  here"]])
    bench = workbench(ScriptedTaskModel(rows), optimizer)
    loop = Loop(recency(), bench, Guard(), LoopSettings(steps=2, candidates=2, resamples=0))
    found = await loop.run("start")
    assert found.best == "look here"
    await loop.dev.score(["look  here"])
    assert (loop.mean("look  here"), loop.best) == (0.75, "look here")


@pytest.mark.parametrize("enforce", [True, False])
async def test_an_enforced_limit_rejects_what_changes_more(enforce: bool) -> None:
    rows = {"one two three": {0}, "one two four": {1}, "five six four": {1, 2, 3}}
    optimizer = ScriptedOptimizer([["five six four", "one two four"]])

    class Two:
        def limit(self, step: int, total: int) -> int | None:
            return 2

    method = Method("mine", PromptInformation(True, False), Recency(3), Two(), Generation())
    settings = LoopSettings(steps=1, candidates=2, resamples=0, enforce=enforce)
    bench = workbench(ScriptedTaskModel(rows), optimizer)
    found = await Loop(method, bench, Guard(), settings).run("one two three")
    assert [(c.distance, c.rejected) for c in found.steps[0].candidates] == [
        (3, "changes 3 words, more than the limit of 2" if enforce else None),
        (1, None),
    ]


async def test_a_race_leaves_an_estimate_and_the_rows_that_it_rests_on() -> None:
    every = set(range(24))
    # The first round has 24 / 6 = 4 rows and keeps 2 of 4: the two that are right on all of them.
    rows = {"start": {0}, "one": set[int](), "two": every, "three": set[int](), "four": every}
    optimizer = ScriptedOptimizer([["one", "two", "three", "four"]])
    model = ScriptedTaskModel(rows)
    settings = LoopSettings(steps=1, candidates=4, racing=True)
    bench = workbench(model, optimizer, dev=24)
    loop = Loop(recency(), bench, Guard(), settings)
    found = await loop.run("start")
    (step,) = found.steps
    assert step.estimated
    assert step.chosen == "two"
    assert step.scored == 4
    assert [(c.score, c.estimate, c.estimate_rows) for c in step.candidates] == [
        (None, 0.0, 4),
        (1.0, None, None),
        (None, 0.0, 4),
        (1.0, None, None),
    ]
    assert len(model.asked) == 24 + 4 * 4 + 2 * 20
    assert loop.pairs_a_step == 4 * 4 + 2 * 20
