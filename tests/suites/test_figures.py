"""Lines and labels of the figures can be told apart."""

from __future__ import annotations

import re
from itertools import pairwise

from gpo.suites.tables.figures import curve_figure, tradeoff_figure
from tests.suites.tables import outcome, slot, table


def test_no_two_of_twenty_curves_look_alike_and_one_alone_is_solid() -> None:
    names = [f"m{n:02}" for n in range(20)]
    svg = curve_figure(table({slot(name, 0): outcome(f"t-{name}-0", 0.5) for name in names}, ours="m07"))
    looks = re.findall(r'<path [^>]*stroke="(#\w+)" stroke-width="\d"(?: stroke-dasharray="([^"]+)")?', svg)
    assert len(set(looks)) == len(looks) == 20
    assert [dash for _, dash in looks].count("") == 1


def test_labels_of_points_at_the_same_place_stand_below_each_other() -> None:
    names = ("ape", "opro", "pe2")
    svg = tradeoff_figure(table({slot(name, 0): outcome(f"t-{name}-0", 0.5) for name in names}))
    bases = sorted(float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)">(?:ape|opro|pe2)<', svg))
    assert len(bases) == 3
    assert all(below - above >= 12 for above, below in pairwise(bases))


def test_the_axis_is_dollars_only_where_the_price_of_every_search_is_known() -> None:
    priced = {"usd": 0.2, "optimizer_usd": 0.05}
    dollars = tradeoff_figure(
        table({slot(name, 0): outcome(f"t-{name}-0", 0.5, **priced) for name in ("ape", "pe2")})
    )
    assert "per dollar, both models" in dollars
    assert "per dollar of the optimizer model" in dollars
    assert "million tokens" not in dollars
    mixed = tradeoff_figure(
        table({slot("ape", 0): outcome("t-ape-0", 0.5, **priced), slot("pe2", 0): outcome("t-pe2-0", 0.5)})
    )
    assert "per million tokens, both models" in mixed
    assert "dollar" not in mixed
