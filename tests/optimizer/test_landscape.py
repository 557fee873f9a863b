"""The machinery climbs: on a simulated landscape, at equal calls, `gpo` beats `ape` and random search, and racing finds
what full evaluation finds.

This checks that scores, trajectories and limits reach the optimizer and matter. It is no evidence about real models.
"""

from __future__ import annotations

from random import Random
from statistics import fmean

import pytest

from gpo.evaluation.statistics import paired_bootstrap
from gpo.optimizer.loop import LoopSettings
from tests.support.climb import START, Climb, climb, scorer
from tests.support.landscape import VOCABULARY, Landscape

SEEDS = range(20)
STEPS, CANDIDATES, DEV = 12, 8, 40


def steep(seed: int) -> Landscape:
    """Many words that harm, an optimizer that uses its freedom."""
    return Landscape(seed=seed, harmful=40, edits=40, reckless=0.3, free_words=20)


async def optimized(name: str, seed: int) -> Climb:
    settings = LoopSettings(steps=STEPS, candidates=CANDIDATES)
    return await climb(name, steep(seed), settings, dev=DEV)


async def searched(seed: int) -> Climb:
    """The same for random search: as many prompts of random words, the best on dev."""
    landscape = steep(seed)
    examined, model = scorer(landscape, DEV)
    draw = Random(seed)
    prompts = [START]
    while len(prompts) < STEPS * CANDIDATES + 1:
        prompts.append(" ".join(draw.sample(VOCABULARY, draw.randint(3, 20))))
    scores = await examined.score(prompts)
    return Climb(landscape.accuracy(max(scores, key=examined.mean).prompt), model.calls)


async def test_gpo_climbs_above_random_search() -> None:
    gpo, random = (
        [await optimized("gpo", seed) for seed in range(3)],
        [await searched(seed) for seed in range(3)],
    )
    assert fmean(found.accuracy for found in gpo) > fmean(found.accuracy for found in random) + 0.1


@pytest.mark.slow
async def test_gpo_beats_ape_and_random_search_over_twenty_seeds() -> None:
    gpo = [await optimized("gpo", seed) for seed in SEEDS]
    ape = [await optimized("ape", seed) for seed in SEEDS]
    random = [await searched(seed) for seed in SEEDS]
    most = (STEPS * CANDIDATES + 1) * DEV
    assert all(0.9 * most <= found.calls <= most for found in (*gpo, *ape, *random))
    for other in (ape, random):
        gain = paired_bootstrap(
            [found.accuracy for found in other], [found.accuracy for found in gpo], seed=0
        )
        assert gain.low > 0, gain


async def raced(seed: int, steps: int, *, racing: bool) -> Climb:
    settings = LoopSettings(steps=steps, candidates=CANDIDATES, racing=racing)
    return await climb("gpo", Landscape(seed=seed), settings, dev=48)


async def test_racing_asks_less_than_half() -> None:
    for seed in range(3):
        full, fast = await raced(seed, 6, racing=False), await raced(seed, 6, racing=True)
        assert fast.calls <= 0.5 * full.calls


@pytest.mark.slow
async def test_racing_loses_at_most_a_point_in_half_the_calls_over_twenty_seeds() -> None:
    full = [await raced(seed, 18, racing=False) for seed in SEEDS]
    fast = [await raced(seed, 18, racing=True) for seed in SEEDS]
    assert sum(found.calls for found in fast) <= 0.5 * sum(found.calls for found in full)
    lost = sum(before.accuracy - after.accuracy for before, after in zip(full, fast, strict=True)) / len(
        SEEDS
    )
    assert lost <= 0.01, lost
