"""The numbers of a table against values worked out by hand, and what is missing said and never counted as 0."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gpo.run.journal_writer import prompt_id
from gpo.suites.spec.grid import TableSlot
from gpo.suites.tables.escaping import join_failures
from gpo.suites.tables.render import to_csv, to_markdown
from gpo.suites.tables.report import show
from gpo.suites.tables.run_outcome import TrialOutcome, read_outcome
from tests.suites.suites import ROWS, bench, write_suite
from tests.suites.tables import grouped, outcome, rows, slot, table
from tests.support.landscape import Landscape
from tests.support.server import ModelServer


def test_mean_and_sample_standard_deviation_over_three_seeds() -> None:
    # (60 + 70 + 74) / 3 = 68; deviations -8, 2, 6: sqrt((64 + 4 + 36) / 2) = sqrt(52).
    found = table({slot("gpo", 0): 0.60, slot("gpo", 1): 0.70, slot("gpo", 2): 0.74})
    entry = found.entry("gpo", ("t",))
    assert entry.mean == pytest.approx(68.0)
    assert entry.std == pytest.approx(52**0.5)
    assert (entry.seeds, entry.wanted) == (3, 3)
    assert "68.00 ± 7.21" in to_markdown(found, {})


def test_a_group_is_the_mean_of_its_tasks_seed_by_seed() -> None:
    # Seed 0: (40 + 80) / 2 = 60; seed 1: (50 + 60) / 2 = 55. Mean 57.5, deviation sqrt(2 × 2.5²) = sqrt(12.5).
    found = table(
        {
            slot("gpo", 0, "group", "a"): 0.4,
            slot("gpo", 0, "group", "b"): 0.8,
            slot("gpo", 1, "group", "a"): 0.5,
            slot("gpo", 1, "group", "b"): 0.6,
        }
    )
    entry = found.entry("gpo", ("group",))
    assert entry.mean == pytest.approx(57.5)
    assert entry.std == pytest.approx(12.5**0.5)


def test_a_seed_counts_with_all_its_tasks_or_not_at_all_and_the_table_says_how_many() -> None:
    found = table(
        {
            slot("gpo", 0, "group", "a"): 0.4,
            slot("gpo", 0, "group", "b"): 0.8,
            slot("gpo", 1, "group", "a"): 0.9,
            slot("gpo", 1, "group", "b"): None,
        }
    )
    entry = found.entry("gpo", ("group",))
    assert entry.mean == pytest.approx(60.0)
    assert (entry.std, entry.seeds, entry.wanted) == (None, 1, 2)
    assert "60.00 (1 of 2 seeds)" in to_markdown(found, {})


def test_what_is_missing_is_a_dash_and_an_empty_field_and_never_a_zero() -> None:
    found = table({slot("gpo", 0): None, slot("ape", 0): 0.0})
    assert "| gpo | – |" in to_markdown(found, {})
    lines = {line.split(",")[0]: line.split(",") for line in to_csv(found).splitlines()}
    header = lines["method"]
    assert lines["gpo"][header.index("mean")] == ""
    assert lines["ape"][header.index("mean")] == "0.0"


def test_the_average_column_is_the_mean_of_the_columns() -> None:
    # Seed 0: (10 + 30) / 2 = 20; seed 1: (20 + 60) / 2 = 40. Mean 30, deviation sqrt(200).
    scores = {("a", 0): 0.1, ("b", 0): 0.3, ("a", 1): 0.2, ("b", 1): 0.6}
    found = table({slot("gpo", s, t): v for (t, s), v in scores.items()}, average=True)
    assert found.columns == (("a",), ("b",), ("Average",))
    entry = found.entry("gpo", ("Average",))
    assert entry.mean == pytest.approx(30.0)
    assert entry.std == pytest.approx(200**0.5)


def test_a_group_in_an_average_weighs_as_one_column_however_many_tasks_it_has() -> None:
    found = table(grouped("gpo", 0, 0.6, (0.3, 0.3, 0.3, 0.3)), average=True)
    # (60 + 30) / 2, not (60 + 4 × 30) / 5.
    assert found.entry("gpo", ("Average",)).mean == pytest.approx(45)


def test_calls_tokens_gains_and_curves_of_an_average_are_means_of_the_columns_too() -> None:
    def cheap(index: int) -> TrialOutcome:
        return outcome(f"g{index}-gpo-0", 0.4, calls=20, tokens=10_000, steps=(0.1, 0.2))

    scores = grouped(
        "gpo", 0, outcome("wsc-gpo-0", 0.8, steps=(0.5, 0.6, 0.7)), (cheap(0), cheap(1), cheap(2))
    )
    entry = table(scores, average=True).entry("gpo", ("Average",))
    assert entry.calls == pytest.approx((100 + 20) / 2)
    assert entry.tokens == pytest.approx((50_000 + 10_000) / 2)
    # 60 and 20 points from the start prompt's 20; 40 points a search of 30,000 tokens.
    assert entry.gain == pytest.approx(40)
    assert entry.efficiency == pytest.approx(40 / 0.03)
    assert entry.curve == pytest.approx((30, 40, 45))


def test_an_average_over_fewer_columns_is_none() -> None:
    scores = grouped("gpo", 0, 0.6, (0.3,)) | grouped("ape", 0, 0.5, (None,)) | {slot("opro", 0, "wsc"): 0.9}
    found = table(scores, average=True)
    assert found.entry("gpo", ("Average",)).mean == pytest.approx(45)
    assert found.entry("ape", ("Average",)).mean is None
    assert found.entry("opro", ("Average",)).mean is None
    assert found.baselines.keys() == {("wsc",)}


def test_improvement_per_million_tokens() -> None:
    # From 20 to 60 points with 50,000 tokens: 800 a million. From 20 to 30 with 100,000: 100. Mean 450.
    found = table(
        {
            slot("gpo", 0): outcome("t-gpo-0", 0.6),
            slot("gpo", 1): outcome("t-gpo-1", 0.3, tokens=100_000),
            slot("cot", 0): 0.2,
            slot("cot", 1): 0.2,
        }
    )
    entry = found.entry("gpo", ("t",))
    assert entry.efficiency == pytest.approx(450)
    assert entry.gain == pytest.approx(25)
    # A fixed prompt improves nothing and searches nothing.
    assert found.entry("cot", ("t",)).efficiency is None


def test_improvement_for_a_dollar_of_both_models_and_of_the_optimizer_model_alone() -> None:
    # 40 points for $0.20, of which the optimizer model took $0.05; 10 points for $0.10, of which $0.02.
    found = table(
        {
            slot("gpo", 0): outcome("t-gpo-0", 0.6, usd=0.2, optimizer_usd=0.05),
            slot("gpo", 1): outcome("t-gpo-1", 0.3, usd=0.1, optimizer_usd=0.02),
            slot("ape", 0): outcome("t-ape-0", 0.6, usd=0.2, optimizer_usd=0.05),
            slot("ape", 1): outcome("t-ape-1", 0.3),
        }
    )
    entry = found.entry("gpo", ("t",))
    assert entry.usd == pytest.approx(0.15)
    assert entry.per_dollar == pytest.approx((40 / 0.2 + 10 / 0.1) / 2)
    assert entry.per_optimizer_dollar == pytest.approx((40 / 0.05 + 10 / 0.02) / 2)
    # What one run cost is not known: neither is what both did.
    entry = found.entry("ape", ("t",))
    assert (entry.usd, entry.per_dollar) == (None, None)
    assert entry.efficiency is not None


def test_a_table_of_dev_scores_has_improvements_on_dev() -> None:
    entry = table({slot("gpo", 0): outcome("t-gpo-0", 0.6)}, metric="dev").entry("gpo", ("t",))
    # From 25 to 75 points with 50,000 tokens; on test it would be 40 and 800.
    assert entry.gain == pytest.approx(50)
    assert entry.efficiency == pytest.approx(1000)


def test_tokens_that_a_server_does_not_tell_are_unknown_and_no_division_by_zero() -> None:
    found = table({slot("gpo", 0): outcome("t-gpo-0", 0.6, tokens=0)})
    assert found.entry("gpo", ("t",)).efficiency is None


def test_a_curve_is_the_mean_over_seeds_and_a_run_that_stopped_early_keeps_its_best() -> None:
    found = table(
        {
            slot("gpo", 0): outcome("t-gpo-0", 0.6, steps=(0.2, 0.4, 0.6)),
            slot("gpo", 1): outcome("t-gpo-1", 0.6, steps=(0.2, 1.0)),
        },
        metric="dev",
        steps=2,
    )
    assert found.entry("gpo", ("t",)).curve == pytest.approx((20, 70, 80))


def test_a_search_that_took_no_step_is_part_of_the_curve_and_a_fixed_prompt_is_none() -> None:
    found = table(
        {
            slot("gpo", 0): outcome("t-gpo-0", 0.6, steps=(0.2, 0.4)),
            slot("gpo", 1): outcome("t-gpo-1", 0.6, steps=(0.3,)),
            slot("cot", 0): outcome("t-cot-0", 0.2, steps=(0.2,)),
            slot("cot", 1): outcome("t-cot-1", 0.2, steps=(0.2,)),
        }
    )
    assert found.entry("gpo", ("t",)).curve == pytest.approx((25, 35))
    assert found.entry("cot", ("t",)).curve == ()


def test_a_single_lucky_seed_is_not_set_in_bold() -> None:
    found = table({slot("ape", 0): 0.9, slot("ape", 1): None, slot("gpo", 0): 0.6, slot("gpo", 1): 0.6})
    page = to_markdown(found, {})
    assert "**60.00 ± 0.00**" in page
    assert "| 90.00 (1 of 2 seeds) |" in page


def test_a_single_lucky_seed_is_no_baseline_where_others_have_all() -> None:
    found = table(
        {
            slot("ape", 0): 0.9,
            slot("ape", 1): None,
            slot("opro", 0): 0.5,
            slot("opro", 1): 0.5,
            slot("gpo", 0): 0.6,
            slot("gpo", 1): 0.6,
        }
    )
    assert found.baselines == {("t",): "opro"}


def test_damaged_run_directory_is_a_failure_of_its_own(tmp_path: Path) -> None:
    from gpo.errors import RunError
    from gpo.suites.tables.run_outcome import read_outcome

    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "result.json").write_text("{")
    with pytest.raises(RunError, match=r"result\.json: is damaged"):
        read_outcome("trial", tmp_path)
    assert read_outcome("absent", tmp_path) is None


def test_what_a_budget_ended_and_what_took_no_step_is_said_in_its_cell() -> None:
    found = table(
        {
            slot("ape", 0): outcome("t-ape-0", 0.5, stopped_by_budget=True),
            slot("ape", 1): outcome("t-ape-1", 0.5, stopped_by_budget=True, steps=(0.25,)),
            slot("ape", 2): None,
            slot("cot", 0): outcome("t-cot-0", 0.5, steps=(0.25,)),
        }
    )
    text = to_markdown(found, {})
    assert "50.00 ± 0.00 (2 of 3 seeds, 2 stopped, 1 without a step)" in text
    # A fixed prompt takes none.
    assert "| cot | **50.00** |" in text or "| cot | 50.00 |" in text


def test_columns_of_one_model_stand_beside_each_other() -> None:
    def run(model: str, task: str) -> TableSlot:
        labels = {**slot("ape", 0, task).labels, "model": model}
        return TableSlot(labels=labels, member=task, seed=0, run_dir=model + task, evaluates_only=False)

    found = table({run("m1", "a"): 0.5, run("m2", "a"): 0.5, run("m1", "b"): 0.5}, columns=["model", "task"])
    assert found.columns == (("m1", "a"), ("m1", "b"), ("m2", "a"))


@pytest.mark.parametrize(
    "damage",
    [
        {"scores": {"initial": {}, "best": {"test": "x"}}},
        {"scores": {"initial": {}, "best": {"test": float("nan")}}},
        {"steps": [{}]},
        {"steps": ["x"]},
        {"steps": [{"best_dev": True}]},
    ],
)
def test_a_result_with_other_things_than_numbers_is_damaged(
    damage: dict[str, Any], tmp_path: Path, server: ModelServer
) -> None:
    server.answer = Landscape().answer
    suite = write_suite(tmp_path, server.base_url, tasks=[{"data": "one"}], seeds=1, methods=["ape"])
    bench(suite, out := tmp_path / "out")
    (path,) = out.glob("*/result.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    found, _ = bench(suite, out)
    assert found.entry("ape", ("one",)).failed == 1
    assert re.search(r"is (damaged|no result of GPO) .*; remove it and run", (out / "table.md").read_text())


def test_a_test_row_that_the_start_prompt_could_not_be_scored_on_is_in_no_interval(
    tmp_path: Path, server: ModelServer
) -> None:
    landscape = Landscape()
    server.answer = landscape.answer
    suite = write_suite(tmp_path, server.base_url, tasks=[{"data": "one"}], seeds=1, methods=["ape"])
    bench(suite, out := tmp_path / "out")
    (journal,) = out.glob("*/journal.sqlite")
    (result,) = out.glob("*/result.json")
    best = prompt_id(json.loads(result.read_text())["best_prompt"])
    whole = read_outcome(result.parent.name, out)
    assert whole is not None
    with closing(sqlite3.connect(journal)) as database, database:
        (example,) = database.execute(
            "SELECT example_id FROM scores WHERE split = 'test' AND prompt_id != ? LIMIT 1", (best,)
        ).fetchone()
        database.execute(
            """UPDATE scores SET value = NULL, checksum = NULL
            WHERE split = 'test' AND prompt_id != ? AND example_id = ?""",
            (best, example),
        )
    less = read_outcome(result.parent.name, out)
    assert less is not None
    assert len(less.rows) == len(whole.rows) - 1 == ROWS["test"] - 1


def test_runs_that_fail_alike_are_told_together() -> None:
    found = join_failures({"a": "x", "b": "y", "c": "x", "d": "x", "e": "x"})
    assert found == [("a, c, d and 1 more", "x"), ("b", "y")]


@pytest.mark.parametrize("width", [60, 100, 10_000])
def test_no_number_is_cut_on_a_terminal(width: int) -> None:
    scores = {
        slot(method, seed, f"task number {n}"): outcome(f"{n}-{method}-{seed}", 0.5, **rows(0.5, 0.5))
        for method in ("ape", "gpo with a label")
        for n in range(5)
        for seed in (0, 1)
    }
    console = Console(width=width, record=True, force_terminal=True, file=io.StringIO())
    show(table(scores, average=True), {}, Path("out"), console)
    text = console.export_text()
    assert text.count("50.00 ± 0.00") == 12
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
