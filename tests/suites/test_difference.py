"""Differences from the best baseline and their intervals, against values worked out by hand."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.evaluation.statistics import compare
from gpo.suites.spec.grid import TableSlot
from gpo.suites.tables.render import to_markdown
from gpo.suites.tables.run_outcome import TrialOutcome
from gpo.suites.tables.stratified_bootstrap import compare_strata
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
    # Nothing varies within a task, so two rows as large as can be are added to each: wsc's half weighs 50 a question,
    # mean 100/4, variance ((5000 + 5000)/4 − 625)/4 = 468.75; each of three others 16.67, variance (555.56/3)/3 =
    # 61.728. Half 1.959964 · √653.935 = 50.1207 around 25.
    assert (difference.mean, difference.low, difference.high) == pytest.approx(
        (50, -25.1207, 75.1207), abs=1e-3
    )
    assert difference.verdict == "not shown"


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
    # The three questions differ by 100, 50 and 0 over their two seeds. Of 27 draws one takes the first three times and
    # one the last, 3.7 % each, without any variance, so neither limit is known: two rows of ±100 are added. Mean
    # 150/5 = 30, variance ((12500 + 20000)/5 − 900)/5 = 1120, half 1.959964 · 33.46640 = 65.5929.
    assert (difference.low, difference.high) == pytest.approx((-35.5929, 95.5929), abs=1e-3)
    assert difference.rows == 3
    assert found.entry("ape", ("t",)).difference is None
    assert "| gpo | +50.00 \\[-35.59, +95.59\\] |" in to_markdown(found, {})


def test_rows_that_one_of_both_lacks_are_left_out() -> None:
    found = table(
        {
            slot("ape", 0): outcome("t-ape-0", 0.5, **rows(0, 1)),
            slot("gpo", 0): outcome("t-gpo-0", 1.0, **rows(1)),
        }
    )
    difference = found.entry("gpo", ("t",)).difference
    assert difference is not None
    # One row: 2/3 − 1/3 = 0.3333, variance (1 − 1/9)/3 = 0.296296, half 1.959964 · 0.544331 = 1.066869.
    assert (difference.mean, difference.low, difference.high) == pytest.approx((100, -73.3535, 100), abs=1e-3)
    assert (difference.rows, difference.p_value, difference.verdict) == (1, 1, "not shown")


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
    # Two questions, one gained: 2/4 − 1/4 = 0.25, variance (0.75 − 0.0625)/4 = 0.171875, half 1.959964 · 0.414578 =
    # 0.812559. By row of four each would differ by 50.
    assert (difference.mean, difference.low, difference.high) == pytest.approx((50, -56.2559, 100), abs=1e-3)
    assert difference.rows == 2


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


def test_one_task_and_one_seed_are_compared_as_a_run_compares_its_prompts() -> None:
    after = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    before = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]
    ours = compare_strata([named([[a - b] for a, b in zip(after, before, strict=True)])], seed=7)
    assert ours == compare(before, after, seed=7)
    bits = compare_strata([named([[1.0], [1.0], [0.0], [-1.0]])], seed=7)
    assert bits == compare([0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0], seed=7)


def test_tasks_weigh_alike_however_many_rows_they_have() -> None:
    # 1 row of +100 and 3 rows of 0: the mean over tasks is 50, that over rows would be 25.
    found = compare_strata([named([[100.0]]), named([[0.0], [0.0], [0.0]])], scale=100)
    assert (found.mean, found.rows, found.p_value) == (50, 4, 1)


def test_a_question_is_drawn_once_for_all_columns_that_ask_it() -> None:
    # Of two questions one gains 100 and one loses 100, under both models alike: that is one gain and one loss of two,
    # 2/4 − 2/4, variance (1/2 + 1/2)/4, half 1.959964 · 0.5. Apart they are four questions of ±50, and two rows more in
    # either model: variance 2 · (10000/4)/4 = 1250, half 1.959964 · 35.35534 = 69.2952.
    one = {"a": [100.0], "b": [-100.0]}
    apart = compare_strata([one, one], scale=100)
    together = compare_strata([one, one], tasks=["t", "t"], scale=100)
    assert (apart.low, apart.high, apart.rows) == pytest.approx((-69.2952, 69.2952, 4), abs=1e-3)
    assert (together.low, together.high, together.rows) == pytest.approx((-97.9982, 97.9982, 2), abs=1e-3)
    assert together == compare_strata([one], scale=100)


def test_a_stratum_may_have_only_some_of_its_tasks_questions() -> None:
    found = compare_strata([{"a": [100.0], "b": [100.0]}, {"b": [0.0]}], tasks=["t", "t"], scale=100)
    # Two questions that count 50 each: mean 100/4, variance ((5000 + 20000)/4 − 625)/4 = 1406.25, half 73.4986.
    assert (found.mean, found.low, found.high) == pytest.approx((50, 25 - 73.4986, 25 + 73.4986), abs=1e-3)
    # Asked three times, a question weighs three times in its stratum's mean, and has three times the influence.
    often = compare_strata([{"a": [100.0, 100.0, 100.0], "b": [0.0]}], scale=100)
    assert often.mean == pytest.approx(75)


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
def test_a_comparison_holds_the_mean_over_strata(strata: list[list[list[float]]]) -> None:
    found = compare_strata([named(stratum) for stratum in strata])
    means = [fmean(value for cluster in stratum for value in cluster) for stratum in strata]
    assert found.mean == pytest.approx(fmean(means), abs=1e-9)
    assert -1 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= 1
    assert 0 < found.p_value <= 1
