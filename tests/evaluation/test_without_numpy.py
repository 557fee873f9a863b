"""A comparison says the same with numpy and without it, and draws what numpy draws."""

from __future__ import annotations

import importlib
import random
from collections.abc import Sequence

import numpy as np
import pytest

from gpo.evaluation.statistics import Comparison, compare_groups, paired_bootstrap, sign_flip
from gpo.evaluation.statistics.pcg64 import Pcg64

USERS = ("paired", "sign_flip", "bootstrap_t")


@pytest.fixture
def take_numpy_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in USERS:
        module = importlib.import_module(f"gpo.evaluation.statistics.{name}")
        monkeypatch.setattr(module, "is_installed", lambda _: False)


def draw(rows: int, seed: int) -> list[float]:
    source = random.Random(seed)
    return [source.gauss(0.02, 0.2) * source.choice([0, 1, 1]) for _ in range(rows)]


GROUPS: list[Sequence[Sequence[float]]] = [
    *([draw(rows, rows)] for rows in (1, 2, 3, 7, 14, 15, 64)),
    [draw(20, 1), draw(9, 2)],
    [[0.5, 0.5, 0.0]],
    [[0.25] * 6],
]


def compare_all() -> list[Comparison]:
    return [compare_groups(groups, [1.0] * len(groups), seed=5) for groups in GROUPS]


WITH_NUMPY = compare_all()


@pytest.mark.usefixtures("take_numpy_away")
def test_comparisons_are_the_same() -> None:
    assert compare_all() == WITH_NUMPY
    assert len({found.p_value for found in WITH_NUMPY}) > 6


def test_sums_of_blocks_and_flips_are_the_same(request: pytest.FixtureRequest) -> None:
    before, after = draw(1700, 3), draw(1700, 4)
    found = sign_flip(before, after, seed=9, draws=999)
    interval = paired_bootstrap(before, after, seed=9, resamples=99)
    request.getfixturevalue("take_numpy_away")
    assert sign_flip(before, after, seed=9, draws=999) == found
    assert paired_bootstrap(before, after, seed=9, resamples=99) == interval


@pytest.mark.parametrize("seed", [0, 7, 2**32, 2**70 + 3, [5, 1], [2**40, 0, 3, 9, 2]])
def test_the_generator_draws_as_numpy_does(seed: int | list[int]) -> None:
    own, theirs = Pcg64(seed), np.random.Generator(np.random.PCG64(seed))
    for limit in (1, 2, 10, 2**31 - 1):
        assert own.below(limit, 7) == theirs.integers(0, limit, size=7, dtype=np.int32).tolist()
    assert own.bytes(13) == theirs.bytes(13)
    assert own.shuffle(list(range(33))) == theirs.permutation(np.arange(33)).tolist()


def test_limits_that_refuse_draws_are_drawn_as_numpy_does() -> None:
    # With a limit just above half of 2³² a draw is refused in nearly every other try.
    own, theirs = Pcg64(3), np.random.Generator(np.random.PCG64(3))
    limit = 2**31 + 1
    assert own.below(limit, 50) == theirs.integers(0, limit, size=50, dtype=np.uint32).tolist()
