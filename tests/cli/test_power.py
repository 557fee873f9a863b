"""`gpo power` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpo.evaluation.statistics.power import power, rows_needed
from tests.cli.gpo import gpo


def test_rows_for_a_gain_and_the_other_way_round(tmp_path: Path) -> None:
    said = gpo("power", "--gain", "10", "--json", cwd=tmp_path)
    found = json.loads(said.stdout)
    assert found == {"gain": 10, "discordant": 0.2, "power": 0.8, "rows": rows_needed(0.1, 0.2)}
    assert f"on {found['rows']} test rows" in gpo("power", "--gain", "10", cwd=tmp_path).stdout

    back = json.loads(
        gpo("power", "--rows", str(found["rows"]), "--discordant", "0.2", "--json", cwd=tmp_path).stdout
    )
    assert back["gain"] <= 10
    # Six rows gained and none lost is the least that is called better.
    assert back["limit"] == pytest.approx(600 / found["rows"])

    both = json.loads(gpo("power", "--gain", "10", "--rows", "100", "--json", cwd=tmp_path).stdout)
    assert both["power"] == pytest.approx(power(100, 0.1, 0.2))


def test_without_arguments_it_is_a_table(tmp_path: Path) -> None:
    done = gpo("power", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.strip()[:1].isdigit()]
    assert [float(row[0]) for row in rows] == [1, 2, 3, 5, 10, 15, 20, 30]
    counts = [int(row[-1].replace(",", "")) for row in rows]
    assert counts == sorted(counts, reverse=True)
    few = gpo("power", "--baseline", "95", cwd=tmp_path).stdout
    assert [line.split()[0] for line in few.splitlines() if line.strip()[:1].isdigit()] == [
        "1",
        "2",
        "3",
        "5",
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--gain", "0"), "--gain"),
        (("--gain", "nan"), "--gain"),
        (("--rows", "0"), "--rows"),
        (("--gain", "5", "--discordant", "2"), "--discordant"),
        (("--gain", "5", "--baseline", "101"), "--baseline"),
        (("--gain", "5", "--power", "1"), "--power"),
        (("--gain", "10", "--baseline", "95"), "at most 5 points"),
        (("--gain", "10", "--discordant", "0.05"), "at most 5 points"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    done = gpo("power", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr
    assert not done.stdout
