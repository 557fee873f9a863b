"""The plan: the numbers of the design, and that no plan is larger than its budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.optimizer.plus.plan import LEAST, plan_schedule, with_library


def test_three_hundred_pairs() -> None:
    plan = plan_schedule(300, dev=24, fresh=24)
    assert (plan.candidates, plan.first_round, plan.finalist_rows) == (4, 4, 8)
    # A step: 4 x 4 pairs and twice 4 more. A fifth is kept for the duel; 9 start prompts on 4 rows, two on 8.
    assert plan.step_pairs == 24
    assert plan.duel == 60
    assert plan.library == 9 * 4 + 2 * 4
    assert plan.steps == (300 - 60 - 44) // 24 == 8


def test_three_thousand_pairs() -> None:
    plan = plan_schedule(3_000, dev=48, fresh=48)
    assert (plan.candidates, plan.first_round, plan.finalist_rows) == (6, 6, 35)
    # The six best on three quarters of 96 rows are less than a fifth of the budget.
    assert plan.duel == 432


def test_without_library_and_duel_the_steps_have_it_all() -> None:
    plan = plan_schedule(300, dev=24, fresh=24, library=False, duel=False)
    assert (plan.screened, plan.duel) == (1, 0)
    assert plan.steps == (300 - 8) // 24


def test_a_program_is_run_before_it_can_be_shown() -> None:
    plan = with_library(plan_schedule(120, dev=16, fresh=12, shown=12), 2)
    # A tenth of the pairs; 24 for the duel, 2 starts on 4 rows and on 8.
    assert plan.bootstrapped == 12
    assert plan.steps == (120 - 24 - 16 - 12) // 24 == 2
    assert with_library(plan_schedule(LEAST, dev=16, fresh=12, shown=12), 2).bootstrapped == 0, (
        "a step comes first"
    )


def test_a_budget_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="50"):
        plan_schedule(LEAST - 1, dev=24, fresh=24)
    assert plan_schedule(LEAST, dev=24, fresh=24).steps == 1


@given(
    pairs=st.integers(LEAST, 20_000),
    dev=st.integers(1, 300),
    fresh=st.integers(0, 300),
    library=st.booleans(),
    duel=st.booleans(),
    starts=st.integers(1, 12),
    shown=st.integers(0, 24),
)
def test_no_plan_is_larger_than_its_budget(
    pairs: int, dev: int, fresh: int, library: bool, duel: bool, starts: int, shown: int
) -> None:
    plan = with_library(
        plan_schedule(pairs, dev=dev, fresh=fresh, library=library, duel=duel, shown=shown), starts
    )
    assert plan.library + plan.bootstrapped + plan.steps * plan.step_pairs + plan.duel <= pairs
    assert plan.bootstrapped <= min(shown, max(4, pairs // 10))
    assert 1 <= plan.first_round <= plan.finalist_rows <= dev
    assert plan.steps >= 1
