"""The numbers of a table against values worked out by hand, and what is missing said and never counted as 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.bench.cells import Place
from gpo.bench.compare import stratified_interval
from gpo.bench.outcome import CellOutcome
from gpo.bench.render import to_csv, to_markdown
from gpo.bench.suite import SuiteConfig
from gpo.bench.table import Table, build_table
from gpo.evaluation.statistics import paired_bootstrap


def outcome(run_dir: str, test: float | None, **changes: Any) -> CellOutcome:
    """A finished run: start prompt 0.2 on test, 50,000 tokens."""
    fields: dict[str, Any] = {
        "initial_test": 0.2,
        "test": test,
        "initial_dev": 0.25,
        "dev": 0.75,
        "steps": (0.25, 0.5, 0.75),
        "calls": 100,
        "tokens": 50_000,
        "seconds": 1.0,
        "stopped_by_budget": False,
        "best_prompt": "p",
        **changes,
    }
    return CellOutcome(run_dir=run_dir, **fields)


def place(method: str, seed: int, task: str = "t", member: str | None = None) -> Place:
    labels = {"method": method, "task": task, "model": "m", "setting": "", "direction": "", "trajectory": ""}
    labels |= {"edit_distance": "", "refinement": ""}
    member = member or task
    fixed = method in ("cot", "empty")
    return Place(
        labels=labels, member=member, seed=seed, run_dir=f"{member}-{method}-{seed}", evaluates_only=fixed
    )


def table(scores: dict[Place, float | CellOutcome | None], **section: Any) -> Table:
    """The table of these places; None is a run that is not finished."""
    config = SuiteConfig.model_validate(
        {
            "name": "x",
            "tasks": ["t"],
            "models": {"m": {"task": {"model": "m"}}},
            "methods": ["gpo"],
            "table": section,
        }
    )
    outcomes = {
        where.run_dir: value if isinstance(value, CellOutcome) else outcome(where.run_dir, value)
        for where, value in scores.items()
        if value is not None
    }
    return build_table(config, list(scores), outcomes)


def test_mean_and_sample_standard_deviation_over_three_seeds() -> None:
    # (60 + 70 + 74) / 3 = 68; deviations -8, 2, 6: sqrt((64 + 4 + 36) / 2) = sqrt(52).
    found = table({place("gpo", 0): 0.60, place("gpo", 1): 0.70, place("gpo", 2): 0.74})
    entry = found.entry("gpo", ("t",))
    assert entry.mean == pytest.approx(68.0)
    assert entry.std == pytest.approx(52**0.5)
    assert (entry.seeds, entry.wanted) == (3, 3)
    assert "68.00 ± 7.21" in to_markdown(found, {})


def test_a_group_is_the_mean_of_its_tasks_seed_by_seed() -> None:
    # Seed 0: (40 + 80) / 2 = 60; seed 1: (50 + 60) / 2 = 55. Mean 57.5, deviation sqrt(2 × 2.5²) = sqrt(12.5).
    found = table(
        {
            place("gpo", 0, "group", "a"): 0.4,
            place("gpo", 0, "group", "b"): 0.8,
            place("gpo", 1, "group", "a"): 0.5,
            place("gpo", 1, "group", "b"): 0.6,
        }
    )
    entry = found.entry("gpo", ("group",))
    assert entry.mean == pytest.approx(57.5)
    assert entry.std == pytest.approx(12.5**0.5)


def test_a_seed_counts_with_all_its_tasks_or_not_at_all_and_the_table_says_how_many() -> None:
    found = table(
        {
            place("gpo", 0, "group", "a"): 0.4,
            place("gpo", 0, "group", "b"): 0.8,
            place("gpo", 1, "group", "a"): 0.9,
            place("gpo", 1, "group", "b"): None,
        }
    )
    entry = found.entry("gpo", ("group",))
    assert entry.mean == pytest.approx(60.0)
    assert (entry.std, entry.seeds, entry.wanted) == (None, 1, 2)
    assert "60.00 (1 of 2 seeds)" in to_markdown(found, {})


def test_what_is_missing_is_a_dash_and_an_empty_field_and_never_a_zero() -> None:
    found = table({place("gpo", 0): None, place("ape", 0): 0.0})
    assert "| gpo | – |" in to_markdown(found, {})
    lines = {line.split(",")[0]: line.split(",") for line in to_csv(found).splitlines()}
    header = lines["method"]
    assert lines["gpo"][header.index("mean")] == ""
    assert lines["ape"][header.index("mean")] == "0.0"


def test_the_average_column_is_the_mean_of_the_columns() -> None:
    # Seed 0: (10 + 30) / 2 = 20; seed 1: (20 + 60) / 2 = 40. Mean 30, deviation sqrt(200).
    scores = {("a", 0): 0.1, ("b", 0): 0.3, ("a", 1): 0.2, ("b", 1): 0.6}
    found = table({place("gpo", s, t): v for (t, s), v in scores.items()}, average=True)
    assert found.columns == (("a",), ("b",), ("Average",))
    entry = found.entry("gpo", ("Average",))
    assert entry.mean == pytest.approx(30.0)
    assert entry.std == pytest.approx(200**0.5)


def test_improvement_per_million_tokens() -> None:
    # From 20 to 60 points with 50,000 tokens: 800 a million. From 20 to 30 with 100,000: 100. Mean 450.
    found = table(
        {
            place("gpo", 0): outcome("t-gpo-0", 0.6),
            place("gpo", 1): outcome("t-gpo-1", 0.3, tokens=100_000),
            place("cot", 0): 0.2,
            place("cot", 1): 0.2,
        }
    )
    entry = found.entry("gpo", ("t",))
    assert entry.efficiency == pytest.approx(450)
    assert entry.gain == pytest.approx(25)
    # A fixed prompt improves nothing and searches nothing.
    assert found.entry("cot", ("t",)).efficiency is None


def test_tokens_that_a_server_does_not_tell_are_unknown_and_no_division_by_zero() -> None:
    found = table({place("gpo", 0): outcome("t-gpo-0", 0.6, tokens=0)})
    assert found.entry("gpo", ("t",)).efficiency is None


def test_a_curve_is_the_mean_over_seeds_and_a_run_that_stopped_early_keeps_its_best() -> None:
    found = table(
        {
            place("gpo", 0): outcome("t-gpo-0", 0.6, steps=(0.2, 0.4, 0.6)),
            place("gpo", 1): outcome("t-gpo-1", 0.6, steps=(0.2, 1.0)),
        },
        metric="dev",
        steps=2,
    )
    assert found.entry("gpo", ("t",)).curve == pytest.approx((20, 70, 80))


def rows(*values: float, name: str = "q") -> dict[str, Any]:
    """Test rows `0`, `1`, … with these values, whose questions are `q0`, `q1`, …"""
    return {
        "rows": {str(i): value for i, value in enumerate(values)},
        "examples": {str(i): f"{name}{i}" for i in range(len(values))},
    }


def test_the_difference_is_from_the_best_baseline_over_all_seeds_by_example() -> None:
    # Against ape (the better baseline): seed 0 differs by +1, 0, 0, seed 1 by +1, +1, 0: mean 3/6 = 50 points.
    found = table(
        {
            place("cot", 0): outcome("t-cot-0", 0.0, **rows(0, 0, 0)),
            place("cot", 1): outcome("t-cot-1", 0.0, **rows(0, 0, 0)),
            place("ape", 0): outcome("t-ape-0", 1 / 3, **rows(0, 1, 0)),
            place("ape", 1): outcome("t-ape-1", 1 / 3, **rows(0, 0, 1)),
            place("gpo", 0): outcome("t-gpo-0", 2 / 3, **rows(1, 1, 0)),
            place("gpo", 1): outcome("t-gpo-1", 1.0, **rows(1, 1, 1)),
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
            place("ape", 0): outcome("t-ape-0", 0.5, **rows(0, 1)),
            place("gpo", 0): outcome("t-gpo-0", 1.0, **rows(1)),
        }
    )
    difference = found.entry("gpo", ("t",)).difference
    assert difference is not None
    assert (difference.mean, difference.low, difference.high) == (100, 100, 100)


def test_a_single_lucky_seed_is_no_baseline_where_others_have_all() -> None:
    found = table(
        {
            place("ape", 0): 0.9,
            place("ape", 1): None,
            place("opro", 0): 0.5,
            place("opro", 1): 0.5,
            place("gpo", 0): 0.6,
            place("gpo", 1): 0.6,
        }
    )
    assert found.baselines == {("t",): "opro"}


def test_an_interval_over_one_task_and_one_seed_is_the_paired_bootstrap() -> None:
    after = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    before = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]
    ours = stratified_interval([[[a - b] for a, b in zip(after, before, strict=True)]], seed=7)
    theirs = paired_bootstrap(before, after, seed=7)
    assert (ours.mean, ours.low, ours.high) == pytest.approx((theirs.mean, theirs.low, theirs.high))


def test_tasks_weigh_alike_however_many_rows_they_have() -> None:
    # 1 row of +100 and 3 rows of 0: the mean over tasks is 50, and no draw within a task changes it.
    found = stratified_interval([[[100.0]], [[0.0], [0.0], [0.0]]])
    assert (found.mean, found.low, found.high) == (50, 50, 50)


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
    found = stratified_interval(strata, resamples=200)
    values = [value for stratum in strata for cluster in stratum for value in cluster]
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert min(values) - 1e-9 <= found.mean <= max(values) + 1e-9


def test_damaged_run_directory_is_a_failure_of_its_own(tmp_path: Path) -> None:
    from gpo.bench.outcome import read_outcome
    from gpo.errors import RunError

    (tmp_path / "cell").mkdir()
    (tmp_path / "cell" / "result.json").write_text("{")
    with pytest.raises(RunError, match=r"result\.json: is damaged"):
        read_outcome("cell", tmp_path)
    assert read_outcome("absent", tmp_path) is None
