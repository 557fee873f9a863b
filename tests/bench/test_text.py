"""Hostile names in Markdown, LaTeX, CSV and SVG: none breaks out of its cell."""

from __future__ import annotations

import csv
import io
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.bench.figures import curve_figure, tradeoff_figure
from gpo.bench.render import to_csv, to_latex, to_markdown
from gpo.bench.table import Entry, Table
from gpo.bench.text import csv_cell, latex, markdown

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
    entry = Entry(mean=50.0, std=1.0, seeds=3, wanted=3, efficiency=2.0, curve=(10.0, 20.0))
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
    assert not any(cell.startswith("=") for row in rows for cell in row)

    tex = to_latex(table(name))
    body = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {2}
    assert r"\input" not in tex

    for figure in (curve_figure(table(name)), tradeoff_figure(table(name))):
        tree = ElementTree.fromstring(figure)
        assert not [node for node in tree.iter() if node.tag.endswith("script")]


def test_latex_and_markdown_by_hand() -> None:
    assert latex(r"50% & \a_b{c}^~#$") == (
        r"50\% \& \textbackslash{}a\_b\{c\}\textasciicircum{}\textasciitilde{}\#\$"
    )
    assert latex("68.00 ± 7.21") == r"68.00 $\pm$ 7.21"
    assert markdown("a|b*c <i>") == r"a\|b\*c &lt;i&gt;"
    assert csv_cell("-1+cmd") == "'-1+cmd"


@given(st.text())
def test_no_text_ends_a_latex_row_or_a_markdown_cell(text: str) -> None:
    assert not re.search(r"(?<!\\)[&%#$_]", latex(text).replace(r"$\pm$", ""))
    assert not re.search(r"(?<!\\)\|", markdown(text))
    assert "\n" not in latex(text) + markdown(text) + csv_cell(text)
