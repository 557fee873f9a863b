"""What a suite came to, kept as data: the same table as from the runs, also when these are gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks.suite_results import keep

from tests.suites.suites import bench, write_suite
from tests.support.landscape import Landscape
from tests.support.server import ModelServer


def test_the_table_is_that_of_the_runs_and_outlives_them(tmp_path: Path, server: ModelServer) -> None:
    server.answer = Landscape().answer
    suite, out = write_suite(tmp_path, server.base_url, methods=["cot", "ape"]), tmp_path / "out"
    folders = {"results": tmp_path / "results", "docs": tmp_path / "docs"}
    folders["results"].mkdir()
    (tmp_path / "results.md").write_text("before <!-- land: begin --><!-- land: end --> after\n")
    bench(suite, out, only="one-")
    said = keep(str(suite), out, **folders)
    assert said[-1].startswith("4 runs are new, 4 of 8 are kept")
    assert (folders["docs"] / "land.md").read_text() == (out / "table.md").read_text()

    page = (tmp_path / "results.md").read_text()
    # What is between the marks is made anew, with the columns that have numbers.
    assert page.startswith("before <!-- land: begin -->")
    assert page.endswith("<!-- land: end --> after\n")
    assert "one" in page
    assert "two" not in page

    # The runs of the first day are gone; those of the second stand beside their data.
    shutil.rmtree(out)
    bench(suite, out, only="two-")
    said = keep(str(suite), out, **folders)
    assert said[-1].startswith("4 runs are new, 8 of 8 are kept")
    bench(suite, out)
    assert (folders["docs"] / "land.md").read_text() == (out / "table.md").read_text()
    assert (folders["docs"] / "land-curve.svg").exists()
    assert "| one | two | Average |" in (tmp_path / "results.md").read_text()

    kept = (folders["results"] / "suite-land.jsonl").read_text()
    assert len([json.loads(line) for line in kept.splitlines()]) == 8
    rows = [json.loads(line) for line in (tmp_path / "one" / "test.jsonl").read_text().splitlines()]
    assert not any(row["input"] in kept for row in rows), "questions stay where they are"
