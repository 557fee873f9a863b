"""Seeds and random choices of a run, and the paper's numbers where nobody says otherwise."""

from __future__ import annotations

from inspect import signature

from gpo.config.published import ApeConfig
from gpo.optimizer.candidates import Guard
from gpo.optimizer.parts.edit_distance import edit_distance
from gpo.optimizer.parts.information import information
from gpo.optimizer.parts.trajectory import trajectory
from gpo.optimizer.published.ape import Ape
from gpo.optimizer.workbench import Workbench
from tests.optimizer.scripted import ScriptedOptimizer, ScriptedTaskModel, workbench


def bench(seed: int = 0, dev: int = 4) -> Workbench:
    return workbench(ScriptedTaskModel({}), ScriptedOptimizer([]), seed=seed, dev=dev)


def test_seeds_of_calls_differ_and_fit_into_31_bits() -> None:
    places = [
        (step, purpose, attempt) for step in range(20) for purpose in ("a", "b") for attempt in range(3)
    ]
    seeds = [bench().call_seed(*place) for place in places]
    assert len(set(seeds)) == len(places)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert max(seeds) > 2**30, "all of the 31 bits are used"
    assert seeds == [bench().call_seed(*place) for place in places]
    assert seeds != [bench(seed=1).call_seed(*place) for place in places]


def test_the_same_choice_is_drawn_alike_anywhere_and_others_are_not() -> None:
    draws = [bench().rng(step, purpose).random() for step in range(3) for purpose in ("a", "b")]
    assert len(set(draws)) == 6
    assert draws[0] == bench().rng(0, "a").random()


def test_the_paper_s_numbers_hold_where_nobody_says_otherwise() -> None:
    # Settled from the paper and its released code: temperature 1.0, 512 tokens, k = 3, batches of 8, 50 to 10 words.
    assert (bench().temperature, bench().max_tokens) == (1.0, 512)
    assert trajectory("recency") == trajectory("recency", k=3)
    assert information("prompt+reflection") == information("prompt+reflection", batch_size=8)
    assert signature(edit_distance).parameters["initial"].default == 50
    assert signature(edit_distance).parameters["final"].default == 10


def test_a_step_of_ape_is_planned_with_its_rewrites_and_the_best_on_all_of_dev() -> None:
    settings = ApeConfig(rewrites=6, examples=20, rounds=2)
    few = Ape(settings, bench(dev=4), Guard(), None)
    assert (few.total, few.pairs_a_step) == (3, 6 * 4 + 4)
    assert Ape(settings, bench(dev=30), Guard(), None).pairs_a_step == 6 * 20 + 30
