"""Hostile names in Markdown, LaTeX, CSV and SVG: none breaks out of its cell."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.evaluation.statistics import Comparison
from gpo.suites.tables.escaping import escape_csv, escape_latex, escape_markdown
from gpo.suites.tables.figures import curve_figure, tradeoff_figure
from gpo.suites.tables.render import difference_text, to_csv, to_latex, to_markdown
from gpo.suites.tables.table import Table, TableEntry

HOSTILE = [
    "a|b",
    "new\nline",
    "<script>alert(1)</script>",
    r"\input{/etc/passwd}",
    "100 % & $x_1^2$ #{~}",
    "`code` *bold* [link](http://x)",
    "\x1b[31mred",
    "=HYPERLINK(1)",
    "‮right to left",
]


def table(name: str) -> Table:
    entry = TableEntry(mean=50.0, std=1.0, seeds=3, wanted=3, efficiency=2.0, curve=(10.0, 20.0))
    return Table(
        title=name,
        row_title="method",
        column_titles=("task",),
        rows=(name, "plain"),
        columns=((name,), ("plain",)),
        metric="test",
        ours="plain",
        entries={(row, (column,)): entry for row in (name, "plain") for column in (name, "plain")},
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_in_its_cell(name: str) -> None:
    page = to_markdown(table(name), {name: name})
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert "<script" not in page
    assert "\x1b" not in page

    rows = list(csv.reader(io.StringIO(to_csv(table(name)))))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not any(trial.startswith("=") for row in rows for trial in row)

    tex = to_latex(table(name))
    body = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {2}
    assert r"\input" not in tex

    for figure in (curve_figure(table(name)), tradeoff_figure(table(name))):
        tree = ElementTree.fromstring(figure)
        assert not [node for node in tree.iter() if node.tag.endswith("script")]


def test_latex_and_markdown_by_hand() -> None:
    assert escape_latex(r"50% & \a_b{c}^~#$") == (
        r"50\% \& \textbackslash{}a\_b\{c\}\textasciicircum{}\textasciitilde{}\#\$"
    )
    assert escape_latex("68.00 ± 7.21") == r"68.00 $\pm$ 7.21"
    assert escape_markdown("a|b*c <i>") == r"a\|b\*c &lt;i&gt;"
    for sign in "=+-@":
        assert escape_csv(f"{sign}1+cmd") == f"'{sign}1+cmd"
    assert escape_csv("1+cmd@x") == "1+cmd@x"


def test_a_difference_that_rounds_to_zero_has_no_minus() -> None:
    found = Comparison(-1e-9, -12.5, 3.0, p_value=1.0, rows=9, graded=True)
    assert difference_text(TableEntry(difference=found)) == "+0.00 [-12.50, +3.00]"


def test_a_difference_says_better_or_worse_by_interval_and_test() -> None:
    def told(low: float, high: float, p_value: float) -> str:
        found = Comparison((low + high) / 2, low, high, p_value=p_value, rows=9, graded=True)
        return difference_text(TableEntry(difference=found))

    assert told(1, 3, 0.01) == "+2.00 [+1.00, +3.00] better"
    assert told(-3, -1, 0.01) == "-2.00 [-3.00, -1.00] worse"
    assert told(1, 3, 0.06) == "+2.00 [+1.00, +3.00]"


def test_no_label_is_taken_for_an_option_of_the_row_before_it() -> None:
    for name in ("[2ex]", "*", "*[2ex]", " [2ex]"):
        for line in to_latex(table(name)).splitlines():
            assert not re.match(r"\s*[*\[]", line), line
    assert escape_latex("[a]*") == "{[}a]{*}"


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_tables_with_hostile_names_compile(tmp_path: Path) -> None:
    tables = [to_latex(table(name)) for name in HOSTILE]
    wanted = tables[0].splitlines()[0].removeprefix("% ")
    page = "\n\n".join([r"\documentclass{article}", wanted, r"\begin{document}", *tables, r"\end{document}"])
    (tmp_path / "page.tex").write_text(page)
    options = ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(["pdflatex", *options, "page.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


SVG = "{http://www.w3.org/2000/svg}"


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def figure_table(**entries: TableEntry) -> Table:
    return Table(
        title="figure",
        row_title="method",
        column_titles=("task",),
        rows=tuple(entries),
        columns=(("t",),),
        metric="test",
        ours=next(iter(entries)),
        entries={(row, ("t",)): entry for row, entry in entries.items()},
    )


def test_a_better_row_stands_higher_and_a_cheaper_one_further_right() -> None:
    drawn = ElementTree.fromstring(
        tradeoff_figure(
            figure_table(
                better=TableEntry(mean=90.0, efficiency=10.0), cheaper=TableEntry(mean=20.0, efficiency=50.0)
            )
        )
    )
    better, cheaper = drawn.iter(f"{SVG}circle")
    assert float(better.attrib["cy"]) < float(cheaper.attrib["cy"])
    assert float(better.attrib["cx"]) < float(cheaper.attrib["cx"])
    # Improvement is told from 0 on, which is on the left edge of the panel but for a margin.
    assert (float(cheaper.attrib["cx"]) - 64) > 4.5 * (float(better.attrib["cx"]) - 64 - 30)


def test_a_curve_goes_by_step_from_left_to_right_and_up_where_it_gets_better() -> None:
    drawn = ElementTree.fromstring(
        curve_figure(
            figure_table(long=TableEntry(curve=(10.0, 20.0, 40.0)), short=TableEntry(curve=(30.0, 30.0)))
        )
    )
    long, short = (numbers(node.attrib["d"]) for node in drawn.iter(f"{SVG}path"))
    # Three steps from edge to edge; the shorter curve ends in the middle.
    assert long[0::2] == pytest.approx([64, (64 + 470) / 2, 470])
    assert short[0::2] == pytest.approx([64, (64 + 470) / 2])
    first, second, third = long[1::2]
    assert first > second > third
    assert second - third == pytest.approx(2 * (first - second), abs=0.3)
    assert short[1] == short[3]
    assert third < short[1] < second


def test_a_curve_without_a_step_is_a_point() -> None:
    drawn = ElementTree.fromstring(
        curve_figure(figure_table(long=TableEntry(curve=(10.0, 20.0)), point=TableEntry(curve=(15.0,))))
    )
    (point,) = drawn.iter(f"{SVG}circle")
    assert float(point.attrib["cx"]) == 64
    drawn = ElementTree.fromstring(curve_figure(figure_table(point=TableEntry(curve=(15.0,)))))
    assert len(list(drawn.iter(f"{SVG}circle"))) == 1


def test_panels_stand_beside_and_under_each_other_and_within_the_picture() -> None:
    entry = TableEntry(mean=50.0, efficiency=2.0, curve=(10.0, 20.0))
    whole = replace(table("a row"), columns=tuple((f"task {n}",) for n in range(5)))
    whole = replace(whole, entries={(row, column): entry for row in whole.rows for column in whole.columns})
    for figure in (curve_figure(whole), tradeoff_figure(whole)):
        drawn = ElementTree.fromstring(figure)
        panels = [tuple(numbers(node.attrib["transform"])) for node in drawn if "transform" in node.attrib]
        _, _, width, height = numbers(drawn.attrib["viewBox"])
        wide, high = width / 2, height / 3
        assert panels == [(0, 0), (wide, 0), (0, high), (wide, high), (0, 2 * high)]
        names = [node.text for node in drawn.iter(f"{SVG}text") if (node.text or "").startswith("task")]
        assert names == [f"task {n}" for n in range(5)]


@given(st.text())
def test_no_text_ends_a_latex_row_or_a_markdown_cell(text: str) -> None:
    assert not re.search(r"(?<!\\)[&%#$_]", escape_latex(text).replace(r"$\pm$", ""))
    assert not re.search(r"(?<!\\)\|", escape_markdown(text))
    assert "\n" not in escape_latex(text) + escape_markdown(text) + escape_csv(text)
