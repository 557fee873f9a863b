"""Runs side by side: what is averaged, what a run costs, and where lines and dropped candidates stand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from gpo.report.charts.curve import draw_scores
from gpo.report.charts.tree import tree
from gpo.report.comparison.compare import compare_html
from gpo.report.data import read_run
from tests.report.support import Diary, run_sums


def table(html: str, name: str) -> str:
    found = re.search(rf'aria-label="{name}"><table>(.*?)</table>', html, re.S)
    return found[1] if found else ""


def cells(row: str) -> list[str]:
    return re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)


def test_means_are_over_distinct_seeds_of_one_configuration_and_the_same_data(tmp_path: Path) -> None:
    runs = {
        "a": {"seed": 0},
        "again": {"seed": 0},
        "b": {"seed": 1},
        "other data": {"seed": 2, "sizes": (16, 12, 10)},
        "other method": {"seed": 3, "method": {"trajectory": "importance"}},
    }
    for name, options in runs.items():
        run_sums(tmp_path / name, **options)  # type: ignore[arg-type]
    html = compare_html({name: tmp_path / name for name in runs})
    rows = re.findall(r"<tr>(.*?)</tr>", table(html, "Means over seeds"), re.S)[1:]
    assert len(rows) == 1
    assert cells(rows[0])[2:4] == ["1, 2, 3", "2"]


def test_a_run_that_the_store_answered_does_not_stand_at_no_cost(tmp_path: Path) -> None:
    for name, source in (("paid", "sent"), ("stored", "store")):
        diary = Diary(tmp_path / name, source=source)  # type: ignore[arg-type]
        diary.step(["Go on."], right=5)
        diary.close()
    html = compare_html({"paid": tmp_path / "paid", "stored": tmp_path / "stored"})
    rows = re.findall(r"<tr>(.*?)</tr>", table(html, "Runs"), re.S)[1:]
    assert cells(rows[0])[7:9] == ["12", "1,260"]
    assert cells(rows[1])[7:9] == ["12 (0 paid)", "1,260 (0 paid)"]
    dots = re.findall(r'class="dot" cx="([\d.]+)"', html)
    assert len(dots) == 2
    assert dots[0] == dots[1]


def test_equal_curves_lie_over_each_other_and_their_numbers_beside_each_other(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        diary = Diary(tmp_path / name)
        diary.step(["Go on."], right=5)
        diary.close()
    html = compare_html({name: tmp_path / name for name in ("one", "two", "three")})
    picture = re.search(r'aria-label="Best dev score by step of 3 runs.*?</svg>', html, re.S)
    assert picture
    paths = re.findall(r'<g class="series[^"]*"><path d="([^"]*)"', picture[0])
    assert len(paths) == 3
    assert len(set(paths)) == 1
    heights = [float(y) for y in re.findall(r'class="name" x="[^"]*" y="([^"]*)"', picture[0])]
    assert all(abs(a - b) > 12.9 for a in heights for b in heights if a is not b)


def test_a_dropped_candidate_stands_below_the_scores_and_behind_them_in_the_lineage(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.step(["Best.", "Dropped."], right=3)
    diary.close()
    run = read_run(tmp_path / "run")
    first = run.steps[0]
    dropped = replace(first.candidates[1], score=None, estimate=1.0, estimate_rows=2)
    run = replace(run, steps=(replace(first, candidates=(first.candidates[0], dropped)),))
    picture = str(draw_scores(run))
    heights = {m[0]: float(m[1]) for m in re.findall(r'data-c="([^"]*)"[^>]*?cy="([\d.]+)"', picture)}
    heights |= {m[1]: float(m[0]) for m in re.findall(r'cy="([\d.]+)"[^>]*?data-c="([^"]*)"', picture)}
    assert heights["0.1"] > 226  # the bottom of the scores' axis
    places = re.findall(r'data-c="(0\.\d)"', str(tree(run)))
    assert places == ["0.0", "0.1"]
