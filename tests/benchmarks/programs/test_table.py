"""The table of the comparison on a DSPy program, by hand and as it stands on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.programs.table import BEGIN, END, fill, main, summarize, table

ROOT = Path(__file__).resolve().parents[3]


def line(arm: str, values: list[float], demos: int = 0) -> dict[str, Any]:
    return {
        "task": "program",
        "arm": arm,
        "seed": 0,
        "task_calls": 10,
        "refused": 2,
        "optimizer_calls": 3,
        "task_tokens": 1_000,
        "optimizer_tokens": 500,
        "program": {"read": {"instructions": "Read.", "demos": [{}] * demos}},
        "test": {str(row): value for row, value in enumerate(values)},
    }


RUNS = [
    line("gpo+", [1, 1, 1, 0], demos=4),
    line("student", [0, 0, 0, 1]),
    line("gepa", [1, 0, 1, 0]),
]


def test_the_table_compares_row_by_row_with_the_student_and_ours() -> None:
    student, gepa, ours = summarize(RUNS)
    assert [item["arm"] for item in (student, gepa, ours)] == ["student", "gepa", "gpo+"]
    assert (student["test"], gepa["test"], ours["test"]) == (25, 50, 75)
    assert student["above_student"] is None
    assert ours["ours_above"] is None
    assert gepa["above_student"]["mean"] == 25
    assert gepa["ours_above"]["mean"] == 25
    assert gepa["ours_above"]["low"] == 0, "no row where it is behind"
    shown = table([student, gepa, ours])
    assert "| gpo+ | 75.0 | +50.0 [" in shown[-1]
    assert shown[-1].endswith("|  | 10 | 2 | 3 | 1,500 | 4 |")


def test_it_is_printed_kept_and_put_on_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    head = {"command": "c", "date": "d", "machine": {}, "settings": {}}
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(item) + "\n" for item in (head, *RUNS)))
    page, kept = tmp_path / "page.md", tmp_path / "kept.json"
    page.write_text(f"before\n{BEGIN}\n\nold\n\n{END}\nafter\n")
    assert main([str(tmp_path), "--keep", str(kept), "--page", str(page)]) == 0
    shown = table(json.loads(kept.read_text())["summary"])
    assert capsys.readouterr().out.splitlines()[: len(shown)] == shown
    assert page.read_text() == "\n".join(["before", BEGIN, "", *shown, "", END, "after", ""])
    with pytest.raises(ValueError, match="has no"):
        fill("without marks", shown)


def test_the_page_has_the_table_of_the_data() -> None:
    (path,) = (ROOT / "benchmarks" / "results").glob("dspy-*.json")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["summary"] == summarize(kept["runs"])
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert fill(page, table(kept["summary"])) == page
