"""What parts and methods may ask for: sums worked out by hand, and own parts with and without a word about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.config.load import parse_config
from gpo.config.published import ApoConfig, Pe2Config
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.loop import LoopSettings, count_loop_calls
from gpo.optimizer.metaprompt import MetaPromptSettings
from gpo.optimizer.methods import ComposedMethod, Method
from gpo.optimizer.parts.edit_distance import NoLimit
from gpo.optimizer.parts.information import PromptInformation
from gpo.optimizer.parts.refinement import Generation
from gpo.optimizer.parts.trajectory import Importance, NoTrajectory, Recency, Relevance, Shown, Summarization
from gpo.optimizer.published.apo import Apo
from gpo.optimizer.published.bandit import BruteForce, SuccessiveHalving, SuccessiveRejects, Ucb
from gpo.optimizer.published.pe2 import Pe2
from gpo.optimizer.state import Information, Step
from gpo.run.estimate.context_size import engine_needs
from gpo.run.estimate.estimate import Estimate, estimate
from gpo.run.plan import assemble
from tests.optimizer.published_runs import START, task

SIZES = Sizes(train=16, dev=5, max_tokens=100, k=3)
SETTINGS = LoopSettings(steps=6, candidates=4, resamples=2, meta_prompt=MetaPromptSettings(task_examples=2))


class Silent:
    """An own trajectory that says nothing of its cost."""

    async def show(self, step: Step) -> Shown:
        return Shown()


class Talkative(Silent):
    """One that asks the optimizer twice a step and shows five earlier prompts."""

    def calls(self, total: int, sizes: Sizes) -> Calls:
        asked = OptimizerCalls(2 * total, 1, 40, PromptContent(prompts=6))
        return Calls(optimizer=(asked,), shown=PromptContent(prompts=5))


class OwnInformation:
    """An own direction that says nothing of its cost."""

    async def describe(self, step: Step) -> Information:
        return Information(step.current.prompt)


@pytest.mark.parametrize(
    ("trajectory", "shown"),
    [
        (NoTrajectory(), PromptContent()),
        (Recency(4), PromptContent(prompts=3)),
        (Relevance(4), PromptContent(prompts=3)),
        (Importance(4), PromptContent(prompts=3)),
    ],
)
def test_what_a_trajectory_shows_at_most(trajectory: Any, shown: PromptContent) -> None:
    assert trajectory.calls(6, SIZES) == Calls(shown=shown)


def test_a_summary_takes_a_call_a_step() -> None:
    assert Summarization().calls(6, SIZES) == Calls(
        optimizer=(OptimizerCalls(6, 1, 100, PromptContent(prompts=1, reply_tokens=200)),),
        shown=PromptContent(reply_tokens=100),
    )


@pytest.mark.parametrize(
    ("trajectory", "earlier", "more"),
    [(Silent(), 3, []), (Talkative(), 5, [OptimizerCalls(12, 1, 40, PromptContent(prompts=6))])],
)
def test_the_loop_sums_its_parts(trajectory: Silent, earlier: int, more: list[OptimizerCalls]) -> None:
    method = Method("mine", PromptInformation(True, True, batch_size=8), trajectory, NoLimit(), Generation())
    cost = count_loop_calls(method, SETTINGS, SIZES)
    # 6 steps with 2 resamplings each; every prompt that is shown brings its reflection of at most 100 tokens.
    meta = PromptContent(prompts=1 + earlier, examples=2, reply_tokens=(1 + earlier) * 100)
    reflection = OptimizerCalls(6, 1, 100, PromptContent(prompts=1, failures=4))
    assert sorted(cost.optimizer, key=str) == sorted(
        [OptimizerCalls(18, 4, 100, meta), reflection, *more], key=str
    )
    # The initial prompt and 6 x 4 candidates on each dev row; 6 steps of 8 rows are 3 epochs of 16.
    assert (cost.dev, cost.train) == (RowUse((25,) * 5), RowUse((3,) * 16))


def test_what_is_expected_takes_no_resampling() -> None:
    method = Method("mine", OwnInformation(), NoTrajectory(), NoLimit(), Generation())
    sizes = Sizes(train=16, dev=5, most=False)
    (candidates,) = count_loop_calls(method, SETTINGS, sizes).optimizer
    assert (candidates.count, candidates.content) == (6, PromptContent(prompts=1, examples=2))


def test_pairs_that_a_selection_asks_for() -> None:
    # 3 rounds of 2 arms on 4 rows; or all there are.
    assert Ucb(3, 2, 4).pairs(5, 10, 1, True) == 24
    assert Ucb(9, 9, 9).pairs(5, 10, 1, True) == 50
    # One round of all arms on all rows repeats nothing; two rounds of half the rows leave a quarter untouched.
    assert Ucb(1, 5, 10).pairs(5, 10, 1, False) == 50
    assert Ucb(2, 4, 5).pairs(4, 10, 1, False) == 30
    # 4 arms, 2 halvings: 8 // (4 * 2) = 1 row for 4 arms, 8 // (2 * 2) = 2 rows for 2.
    assert SuccessiveHalving(8).pairs(4, 10, 1, True) == 4 + 4
    # Down to 2 of 4 arms with at least 4 rows a phase: 4 x 4 + 3 x 4.
    assert SuccessiveRejects(0).pairs(4, 10, 2, True) == 16 + 12
    assert BruteForce(9).pairs(4, 10, 1, True) == 8
    assert BruteForce(99).pairs(4, 10, 1, True) == 40


def test_what_pe2_asks_for() -> None:
    # A beam of 1, then of 4 and 4 again, with 4 proposals each: 4 + 16 + 16 = 36. Each of the 1 + 4 + 4 prompts walks
    # the 16 train rows; the initial prompt and 36 more meet every dev row.
    inspection = OptimizerCalls(36, 1, 1500, PromptContent(prompts=2, failures=2))
    rewrite = OptimizerCalls(36, 1, 300, PromptContent(prompts=3, failures=2, reply_tokens=1500))
    found = Pe2.calls(Pe2Config(), SIZES)
    assert found.optimizer == (inspection, rewrite)
    assert (found.train, found.dev) == (RowUse(pairs=9 * 16), RowUse((37,) * 5))
    # With the history four more prompts are in the second turn, and a third turn sums up the rewrite.
    rewrite = OptimizerCalls(36, 1, 300, PromptContent(prompts=7, failures=2, reply_tokens=1500))
    history = OptimizerCalls(36, 1, 200, PromptContent(prompts=7, failures=2, reply_tokens=1800))
    assert Pe2.calls(Pe2Config(history=True), SIZES).optimizer == (inspection, rewrite, history)


def test_what_apo_asks_for() -> None:
    # A prompt gets 2 edits and 3 paraphrases, of which 4 are kept. Round 1: a beam of 1 on 8 train rows; of 5 arms,
    # each on 20 // 5 = 4 dev rows, 2 go on to all 5 rows. Round 2: a beam of 2 on 8 train rows; of 10 arms, each on
    # 2 rows, again 2. So 3 prompts are expanded: 6 edits, and paraphrases of 6 edits and 3 prompts.
    settings = ApoConfig(
        rounds=2, beam=2, minibatch=8, groups=2, errors=3, paraphrases=1, expansion=4, selection="brute-force",
        bandit_rounds=1, bandit_prompts=4, bandit_samples=5,
    )  # fmt: skip
    errors = PromptContent(prompts=1, failures=3)
    reasons = OptimizerCalls(6, 1, 1024, errors)
    edits = OptimizerCalls(6, 1, 1024, errors + PromptContent(reply_tokens=1024))
    paraphrases = OptimizerCalls(9, 1, 1024, PromptContent(prompts=1))
    found = Apo.calls(settings, SIZES)
    assert found.optimizer == (reasons, edits, paraphrases)
    assert (found.train, found.dev) == (RowUse(pairs=8 + 16), RowUse((1,) * 5, (20 + 10) + (20 + 10)))
    none = settings.model_copy(update={"paraphrases": 0})
    assert Apo.calls(none, SIZES).optimizer == (reasons, edits)


def sections(**changes: Any) -> dict[str, Any]:
    model = {"model": "a", "base_url": "http://localhost:1", "max_tokens": 50}
    models = {"task": model, "optimizer": {**model, "model": "b"}}
    return {"task": {"data": "python:rows"}, "prompt": START, "models": models, **changes}


def estimated(method: ComposedMethod | None = None, **changes: Any) -> Estimate:
    config = parse_config(sections(**changes))
    return estimate(assemble(config, base_dir=Path(), task=task(), method_object=method))


def test_an_own_part_with_a_cost_is_counted_and_one_without_is_taken_to_ask_no_model() -> None:
    # 40 train rows in batches of 8 over 3 epochs: 15 steps, and one tiny call before them.
    silent, talkative = (estimated(gpo.method("gpo", trajectory=own())) for own in (Silent, Talkative))
    assert (silent.optimizer.expected.calls, silent.optimizer.most.calls) == (16, 46)
    assert (talkative.optimizer.expected.calls, talkative.optimizer.most.calls) == (46, 76)
    assert talkative.optimizer.most.completion_tokens - silent.optimizer.most.completion_tokens == 30 * 40
    assert silent.task == talkative.task == estimated().task


def test_the_longest_call_of_an_own_part_decides_the_context() -> None:
    class Reader(Silent):
        def calls(self, total: int, sizes: Sizes) -> Calls:
            return Calls(optimizer=(OptimizerCalls(1, 1, 40, PromptContent(reply_tokens=20_000)),))

    config = parse_config(sections())
    needs = engine_needs(config, task(), START, Reader().calls(15, SIZES))
    assert 20_040 <= (needs["optimizer"].longest or 0) <= 24_100


def test_uses_of_rows_add_up_row_by_row() -> None:
    both = RowUse((3, 1), 4) + RowUse((1,), 2)
    assert both == RowUse((4, 1), 6)
    assert both.total == 11
    assert RowUse() + both == both
