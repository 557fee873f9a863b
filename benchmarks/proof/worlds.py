"""Made worlds for the replay: prompts whose children are new ones, on rows whose truth is known. No model is asked.

    value[prompt, row] = 1 where  ability + row's ease + interaction + label's pull + noise > 0     (a probit)

Asking again gives the same value. A child has its parent's traits as far as the world's heritability goes; a share of
the children is of no use. The truth of a prompt is its mean probability over rows that nobody meets. What is found in
them is a reason to build and no result: the worlds are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.proof.table import Floats, Replay, ScoredTable, Spent

MOST_PROMPTS = 1_200
UNMET_ROWS = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Prompts have abilities around `mean` with `sd` (probits), of which a child keeps `heritage`, plus `drift`; a part
    of them, `useless`, is far below. Rows have the sd `row`, interactions of prompt and row `interaction`, the pull of
    a prompt towards one label `bias`; the noise keeps `noise_heritage`. `start` is the first prompt's ability."""

    mean: float
    sd: float
    heritage: float
    useless: float
    row: float
    interaction: float
    bias: float
    noise_heritage: float
    start: float
    drift: float = 0.0


WORLDS: Final[dict[str, World]] = {
    "flat": World(
        mean=0.0, sd=0.06, heritage=0.3, useless=0.35, row=0.5, interaction=0.25, bias=1.0,
        noise_heritage=0.3, start=-2.5,
    ),
    "weak": World(
        mean=-0.2, sd=0.35, heritage=0.3, useless=0.35, row=0.8, interaction=0.3, bias=0.5,
        noise_heritage=0.3, start=-2.5,
    ),
    "strong": World(
        mean=0.4, sd=0.25, heritage=0.8, useless=0.05, row=1.2, interaction=0.3, bias=0.2,
        noise_heritage=0.6, start=0.1,
    ),
    "climb": World(
        mean=0.4, sd=0.3, heritage=0.9, useless=0.05, row=1.2, interaction=0.3, bias=0.2,
        noise_heritage=0.6, start=0.2, drift=0.03,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Traits:
    """What a prompt is: ability, interactions, pull, and its noise by row of search."""

    ability: float
    interaction: Floats
    pull: float
    noise: Floats


class MadeReplay(Replay):
    """A search in `world`: children are made when they are asked for, by a generator of their own, so that two rules
    under one seed meet the same rows."""

    def __init__(self, world: World, *, budget: int, train: int, dev: int, seed: int) -> None:
        rows = train + dev
        draw = np.random.default_rng([seed, 7, 1])
        self._world = world
        self._make = np.random.default_rng([seed, 13, 1])
        self._ease = draw.normal(0, world.row, rows + UNMET_ROWS)
        self._places = draw.normal(0, math.sqrt(0.5), (rows + UNMET_ROWS, 2))
        self._sides = draw.choice([-1.0, 1.0], rows + UNMET_ROWS)
        self._rows = rows
        self._traits: list[Traits] = []
        labels = tuple("ab"[int(side > 0)] for side in self._sides[:rows])
        self._search = np.zeros((MOST_PROMPTS, rows))
        self._said: list[list[str | None]] = []
        self.truths: list[float] = []
        made = ScoredTable(
            search=self._search,
            held_out=np.zeros((MOST_PROMPTS, 1)),
            texts=[],
            labels=labels,
            said=self._said,
        )
        super().__init__(made, budget=budget, train=train, seed=seed)
        self._add(
            Traits(
                world.start,
                self._make.normal(0, world.interaction, 2),
                self._make.normal(0, world.bias),
                self._make.normal(0, 1, rows),
            )
        )

    def text(self, prompt: int) -> str:
        """All are of one length."""
        return "prompt"

    def child(self, parent: int) -> int:
        """A new prompt that takes after `parent`. Raises `Spent` after very many."""
        if len(self._traits) >= MOST_PROMPTS:
            raise Spent
        world, make, before = self._world, self._make, self._traits[parent]
        base = max(before.ability, world.mean - 1.5 * world.sd)
        if make.random() < world.useless:
            ability = world.mean - abs(make.normal(1.8, 0.8))
        else:
            spread = math.sqrt(1 - world.heritage**2) * world.sd
            ability = world.mean + world.heritage * (base - world.mean) + world.drift + spread * make.normal()
        kept, fresh = world.heritage, math.sqrt(1 - world.heritage**2)
        noise = math.sqrt(1 - world.noise_heritage**2)
        self._add(
            Traits(
                ability,
                kept * before.interaction + fresh * make.normal(0, world.interaction, 2),
                kept * before.pull + fresh * make.normal(0, world.bias),
                world.noise_heritage * before.noise + noise * make.normal(0, 1, self._rows),
            )
        )
        found = len(self._traits) - 1
        self.drawn.append(found)
        return found

    def _add(self, traits: Traits) -> None:
        level = traits.ability + self._ease + self._places @ traits.interaction + traits.pull * self._sides
        right = level[: self._rows] + traits.noise > 0
        labels = self.labels
        self._search[len(self._traits)] = right
        self._said.append(
            [label if good else "ba"["ab".index(label)] for label, good in zip(labels, right, strict=True)]
        )
        self.truths.append(float(_normal_cdf(level[self._rows :]).mean()))
        self._traits.append(traits)


def _normal_cdf(values: Floats) -> Floats:
    """Abramowitz and Stegun 26.2.17, to 7.5e-8."""
    t = 1 / (1 + 0.2316419 * np.abs(values))
    terms = (0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429)
    tail = sum(factor * t ** (power + 1) for power, factor in enumerate(terms))
    density = np.exp(-values * values / 2) / math.sqrt(2 * math.pi)
    found: Floats = np.where(values > 0, 1 - density * tail, density * tail)
    return found
