"""Differences from the best baseline and their intervals, against values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.evaluation.statistics import paired_bootstrap
from gpo.suites.spec.grid import TableSlot
from gpo.suites.tables.render import to_markdown
from gpo.suites.tables.run_outcome import TrialOutcome
from gpo.suites.tables.stratified_bootstrap import stratified_interval
from tests.suites.tables import grouped, outcome, rows, slot, table


def test_the_interval_of_an_average_weighs_columns_alike() -> None:
    def run(method: str, member: str, *values: float) -> TrialOutcome:
        return outcome(f"{member}-{method}-0", sum(values) / len(values), **rows(*values))

    found = table(
        grouped(
            "ape", 0, run("ape", "wsc", 0, 0), (run("ape", "g0", 0), run("ape", "g1", 0), run("ape", "g2", 0))
        )
        | grouped(
            "gpo", 0, run("gpo", "wsc", 1, 1), (run("gpo", "g0", 0), run("gpo", "g1", 0), run("gpo", "g2", 0))
        ),
        average=True,
    )
    difference = found.entry("gpo", ("Average",)).difference
    assert difference is not None
    assert (difference.mean, difference.low, difference.high) == pytest.approx((50, 50, 50))


def test_the_difference_is_from_the_best_baseline_over_all_seeds_by_example() -> None:
    # Against ape (the better baseline): seed 0 differs by +1, 0, 0, seed 1 by +1, +1, 0: mean 3/6 = 50 points.
    found = table(
        {
            slot("cot", 0): outcome("t-cot-0", 0.0, **rows(0, 0, 0)),
            slot("cot", 1): outcome("t-cot-1", 0.0, **rows(0, 0, 0)),
            slot("ape", 0): outcome("t-ape-0", 1 / 3, **rows(0, 1, 0)),
            slot("ape", 1): outcome("t-ape-1", 1 / 3, **rows(0, 0, 1)),
            slot("gpo", 0): outcome("t-gpo-0", 2 / 3, **rows(1, 1, 0)),
            slot("gpo", 1): outcome("t-gpo-1", 1.0, **rows(1, 1, 1)),
        }
    )
    assert found.baselines == {("t",): "ape"}
    difference = found.entry("gpo", ("t",)).difference
    assert difference is not None
    assert difference.mean == pytest.approx(50)
    # The three questions differ by 100, 50 and 0 over their two seeds: 27 draws of equal chance, of which the one that
    # takes the last three times has a share of 3.7 % and so is inside of 95 %.
    assert difference.low == pytest.approx(0)
    assert difference.high == pytest.approx(100)
    assert found.entry("ape", ("t",)).difference is None
    assert "| gpo | +50.00 \\[+0.00, +100.00\\] |" in to_markdown(found, {})


def test_rows_that_one_of_both_lacks_are_left_out() -> None:
    found = table(
        {
            slot("ape", 0): outcome("t-ape-0", 0.5, **rows(0, 1)),
            slot("gpo", 0): outcome("t-gpo-0", 1.0, **rows(1)),
        }
    )
    difference = found.entry("gpo", ("t",)).difference
    assert difference is not None
    assert (difference.mean, difference.low, difference.high) == (100, 100, 100)


def test_the_seeds_of_a_question_are_drawn_together_under_whatever_name_it_has_in_them() -> None:
    # Seed 1 holds the same two questions in the other order: one gains 100 in both, one nothing.
    turned = {"rows": {"0": 0.0, "1": 1.0}, "examples": {"0": "q1", "1": "q0"}}
    found = table(
        {
            slot("ape", 0): outcome("t-ape-0", 0.0, **rows(0, 0)),
            slot("ape", 1): outcome("t-ape-1", 0.0, **{**turned, "rows": {"0": 0.0, "1": 0.0}}),
            slot("gpo", 0): outcome("t-gpo-0", 0.5, **rows(1, 0)),
            slot("gpo", 1): outcome("t-gpo-1", 0.5, **turned),
        }
    )
    difference = found.entry("gpo", ("t",)).difference
    assert difference is not None
    # Of the four draws of two questions one takes the first twice (100) and one the second (0). By row each would
    # differ by 50, and so would every draw.
    assert (difference.mean, difference.low, difference.high) == (50, 0, 100)


def test_an_unfinished_row_shows_no_difference() -> None:
    found = table(
        {
            slot("ape", 0, "group", "a"): outcome("a-ape-0", 0.0, **rows(0, 0)),
            slot("ape", 0, "group", "b"): outcome("b-ape-0", 0.0, **rows(0, 0)),
            slot("gpo", 0, "group", "a"): outcome("a-gpo-0", 1.0, **rows(1, 1)),
            slot("gpo", 0, "group", "b"): None,
        }
    )
    assert found.entry("gpo", ("group",)).mean is None
    assert found.entry("gpo", ("group",)).difference is None


def test_a_difference_is_over_the_seeds_that_both_have_whole() -> None:
    def run(method: str, member: str, seed: int, value: float) -> TrialOutcome:
        return outcome(f"{member}-{method}-{seed}", value, **rows(value))

    scores: dict[TableSlot, TrialOutcome | float | None] = {
        slot(method, seed, "group", member): run(method, member, seed, value)
        for method, value in (("ape", 0.0), ("gpo", 1.0))
        for seed in (0, 1)
        for member in ("a", "b")
    }
    scores[slot("ape", 0, "group", "a")] = run("ape", "a", 0, 0.5)
    scores[slot("gpo", 1, "group", "b")] = None
    difference = table(scores).entry("gpo", ("group",)).difference
    assert difference is not None
    # Seed 0 alone: (50 + 100) / 2. Task a of seed 1 would make it 87.5.
    assert difference.mean == pytest.approx(75)


def test_means_over_other_settings_are_not_compared() -> None:
    def run(model: str, setting: str, value: float) -> tuple[TableSlot, TrialOutcome]:
        found = outcome(f"{model}-{setting}", value, **rows(value))
        labels = {**slot("gpo", 0).labels, "model": model, "setting": setting}
        return TableSlot(
            labels=labels, member="t", seed=0, run_dir=found.run_dir, evaluates_only=False
        ), found

    runs = [run("large", "I", 0.0), run("large", "II", 1.0), run("small", "I", 0.0)]
    # 50 against 0: over setting I alone, which both have, nothing would lie between them.
    found = table(dict(runs), rows="model", ours="large")
    assert (found.entry("large", ("t",)).mean, found.entry("small", ("t",)).mean) == (50, 0)
    assert found.entry("large", ("t",)).difference is None
    found = table(dict(runs), rows="model", ours="small")
    assert found.entry("small", ("t",)).difference is None
    difference = table(dict([*runs, run("small", "II", 0.5)]), rows="model", ours="large")
    compared = difference.entry("large", ("t",)).difference
    assert compared is not None
    assert compared.mean == pytest.approx(25)


def test_rows_that_hold_different_questions_are_not_compared() -> None:
    def setting(name: str, value: TrialOutcome) -> tuple[TableSlot, TrialOutcome]:
        labels = {**slot("gpo", 0).labels, "setting": name}
        return TableSlot(
            labels=labels, member="t", seed=0, run_dir=value.run_dir, evaluates_only=False
        ), value

    # Of three places in test one holds the same question under both settings.
    plain = outcome(
        "plain", 0.0, rows={"0": 0.0, "1": 0.0, "2": 0.0}, examples={"0": "a", "1": "b", "2": "c"}
    )
    other = outcome(
        "other", 1.0, rows={"0": 1.0, "1": 0.5, "2": 1.0}, examples={"0": "x", "1": "b", "2": "y"}
    )
    found = table(dict([setting("plain", plain), setting("other", other)]), rows="setting", ours="other")
    difference = found.entry("other", ("t",)).difference
    assert difference is not None
    assert difference.mean == pytest.approx(50)

    none = outcome("none", 1.0, rows={"0": 1.0}, examples={"0": "z"})
    found = table(dict([setting("plain", plain), setting("none", none)]), rows="setting", ours="none")
    assert found.entry("none", ("t",)).difference is None


def test_rows_of_a_part_are_compared_over_the_other_parts_alone() -> None:
    def part(direction: str, trajectory: str, value: float) -> tuple[TableSlot, TrialOutcome]:
        run = outcome(f"{direction}-{trajectory}", value, **rows(value))
        labels = {**slot("x", 0).labels, "method": f"{direction}, {trajectory}"}
        labels |= {"direction": direction, "trajectory": trajectory}
        return TableSlot(labels=labels, member="t", seed=0, run_dir=run.run_dir, evaluates_only=False), run

    scores = dict(
        [
            part("P", "none", 0.0),
            part("P", "recency", 0.5),
            part("P+M", "none", 1.0),
            part("P+M", "recency", 0.5),
        ]
    )
    found = table(scores, rows="direction", ours="P+M")
    difference = found.entry("P+M", ("t",)).difference
    assert difference is not None
    # 100 without a trajectory, 0 with one: the method's name is another in every run and tells nothing apart.
    assert difference.mean == pytest.approx(50)


def named(stratum: list[list[float]]) -> dict[str, list[float]]:
    return {str(index): differences for index, differences in enumerate(stratum)}


def test_an_interval_over_one_task_and_one_seed_is_the_paired_bootstrap() -> None:
    after = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    before = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]
    ours = stratified_interval([named([[a - b] for a, b in zip(after, before, strict=True)])], seed=7)
    theirs = paired_bootstrap(before, after, seed=7)
    assert (ours.mean, ours.low, ours.high) == pytest.approx((theirs.mean, theirs.low, theirs.high))


def test_tasks_weigh_alike_however_many_rows_they_have() -> None:
    # 1 row of +100 and 3 rows of 0: the mean over tasks is 50, and no draw within a task changes it.
    found = stratified_interval([named([[100.0]]), named([[0.0], [0.0], [0.0]])])
    assert (found.mean, found.low, found.high) == (50, 50, 50)


def test_a_question_is_drawn_once_for_all_columns_that_ask_it() -> None:
    # Of two questions one gains 100 and one loses 100, under both models alike: the four draws of two give −100, 0, 0
    # and 100. Drawn apart, half of the sixteen would lie between, and −50 and 50 would be the ends of a half.
    one = {"a": [100.0], "b": [-100.0]}
    apart = stratified_interval([one, one], confidence=0.6)
    together = stratified_interval([one, one], tasks=["t", "t"], confidence=0.6)
    assert (apart.low, apart.high) == (-50, 50)
    assert (together.low, together.high) == (-100, 100)
    alone = stratified_interval([one], confidence=0.6)
    assert together == alone


def test_a_stratum_may_have_only_some_of_its_tasks_questions() -> None:
    found = stratified_interval([{"a": [100.0], "b": [100.0]}, {"b": [0.0]}], tasks=["t", "t"])
    assert (found.mean, found.low, found.high) == (50, 50, 50)


def test_the_same_runs_under_many_models_are_no_more_than_one() -> None:
    def model(name: str) -> dict[TableSlot, TrialOutcome]:
        found = {}
        for method, values in (("ape", (0, 0, 1, 0)), ("gpo", (1, 0, 0, 1))):
            labels = {**slot(method, 0).labels, "model": name}
            where = TableSlot(
                labels=labels, member="t", seed=0, run_dir=f"{method}-{name}", evaluates_only=False
            )
            found[where] = outcome(where.run_dir, sum(values) / 4, **rows(*values))
        return found

    both = table(model("m1") | model("m2"), columns=["model"], average=True)
    one = both.entry("gpo", ("m1",)).difference
    assert one is not None
    assert both.entry("gpo", ("Average",)).difference == one
    assert table(model("m1") | model("m2"), columns=["task"]).entry("gpo", ("t",)).difference == one


@given(
    st.lists(
        st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=3), min_size=1, max_size=5),
        min_size=1,
        max_size=3,
    )
)
def test_an_interval_holds_its_mean_within_the_range_of_the_differences(
    strata: list[list[list[float]]],
) -> None:
    found = stratified_interval([named(stratum) for stratum in strata], resamples=200)
    values = [value for stratum in strata for cluster in stratum for value in cluster]
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert min(values) - 1e-9 <= found.mean <= max(values) + 1e-9
