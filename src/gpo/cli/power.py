"""`gpo power`: how many test rows a gain needs, and how small a gain so many rows show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Optional

import typer

_GAINS = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0)
_Answer = tuple[dict[str, Any], list[str]]
"""Numbers, and lines for a person."""


def power(
    gain: Annotated[
        Optional[float],
        typer.Option(metavar="POINTS", help="A true gain in points (0 to 100); several gains if not given."),
    ] = None,
    rows: Annotated[
        Optional[int], typer.Option(metavar="N", help="Say how small a gain this many test rows can show.")
    ] = None,
    discordant: Annotated[
        Optional[float],
        typer.Option(
            metavar="SHARE",
            help="Share of rows (0 to 1) on which only one of the two prompts is right. If not given: 0.2, or the "
            "gain plus 0.1 where that is more.",
        ),
    ] = None,
    baseline: Annotated[
        Optional[float],
        typer.Option(
            metavar="POINTS",
            help="Score of the initial prompt (0 to 100). The two prompts are then taken to answer independently.",
        ),
    ] = None,
    chance: Annotated[
        float, typer.Option("--power", metavar="SHARE", help="The chance (0 to 1) that the gain is shown.")
    ] = 0.8,
    json: Annotated[bool, typer.Option("--json", help="Print numbers as JSON.")] = False,
) -> None:
    """How many test rows a gain needs to be called better (right-or-wrong scores); docs/statistics.md has the rule."""
    import json as json_
    import sys

    from gpo.cli.shared.common import say_next, wrap

    _check(gain, rows, discordant, baseline, chance)
    assumed = _Assumed(discordant, None if baseline is None else baseline / 100, chance)
    if rows is not None:
        found, lines = _find_smallest(rows, assumed) if gain is None else _find_power(gain, rows, assumed)
    else:
        found, lines = _tabulate(assumed) if gain is None else _find_needed(gain, assumed)
    if json:
        json_.dump(found, sys.stdout, indent=2)
        print()
        return
    for line in lines:
        print(wrap(line, indent=2) if sys.stdout.isatty() else line)
    if rows is None:
        say_next("gpo init FILE    says what the test rows of your file show")


def _check(
    gain: float | None, rows: int | None, discordant: float | None, baseline: float | None, chance: float
) -> None:
    from gpo.errors import ConfigError
    from gpo.evaluation.statistics.power import MOST_ROWS

    if gain is not None and not 0.1 <= gain <= 100:
        raise ConfigError("--gain: points from 0.1 to 100")
    if rows is not None and not 1 <= rows <= MOST_ROWS:
        raise ConfigError(f"--rows: a number from 1 to {MOST_ROWS:,}")
    if discordant is not None and not 0 < discordant <= 1:
        raise ConfigError("--discordant: a share above 0 and up to 1")
    if baseline is not None and not 0 <= baseline <= 100:
        raise ConfigError("--baseline: points from 0 to 100")
    if not 0.05 <= chance <= 0.999:
        raise ConfigError("--power: a share from 0.05 to 0.999")


@dataclass(frozen=True, slots=True)
class _Assumed:
    """What was said of prompts and rows."""

    discordant: float | None
    baseline: float | None
    chance: float

    def discordance(self, gain: float) -> float:
        """Share of discordant rows that goes with a gain of 0 to 1; 0 where there can be no such gain."""
        from gpo.evaluation.statistics.discordance import assume_discordance

        try:
            return assume_discordance(gain, self.discordant, self.baseline)
        except ValueError:
            return 0.0

    def share(self, points: float) -> float:
        """The same for points. Raises `ConfigError` where there can be no such gain."""
        from gpo.errors import ConfigError
        from gpo.evaluation.statistics.discordance import assume_discordance

        try:
            return assume_discordance(points / 100, self.discordant, self.baseline)
        except ValueError as error:
            raise ConfigError(f"--gain {points:g}: {error}") from None

    @property
    def told(self) -> str:
        return f"is called better with a chance of {100 * self.chance:g} %"


def _find_power(gain: float, rows: int, assumed: _Assumed) -> _Answer:
    from gpo.evaluation.statistics.power import power

    share = assumed.share(gain)
    seen = power(rows, gain / 100, share)
    line = f"On {rows:,} test rows a gain of {gain:g} points is called better with a chance of {100 * seen:.0f} %"
    return {"gain": gain, "discordant": share, "rows": rows, "power": seen}, [f"{line} {_if(share)}."]


def _find_smallest(rows: int, assumed: _Assumed) -> _Answer:
    from gpo.evaluation.statistics.detectable import fewest_gained
    from gpo.evaluation.statistics.power import smallest_gain

    least, fewest = smallest_gain(rows, assumed.discordance, assumed.chance), fewest_gained(rows)
    limit = None if fewest is None else 100 * fewest / rows
    found = {
        "rows": rows,
        "power": assumed.chance,
        "gain": None if least is None else 100 * least,
        "discordant": None if least is None else assumed.discordance(least),
        "limit": limit,
    }
    line = f"On {rows:,} test rows no gain {assumed.told}."
    if least is not None:
        line = (
            f"On {rows:,} test rows the smallest gain that {assumed.told} is {100 * least:.1f} points "
            f"{_if(assumed.discordance(least))}."
        )
    never = (
        "No measured gain, however large," if limit is None else f"A measured gain below {limit:.1f} points"
    )
    return found, [line, f"{never} is {'' if limit is None else 'never '}called better on so many rows."]


def _find_needed(gain: float, assumed: _Assumed) -> _Answer:
    found = _row(gain, assumed)
    line = f"A true gain of {gain:g} points {assumed.told} on {_number(found)} test rows"
    return found, [f"{line} {_if(found['discordant'])}."]


def _tabulate(assumed: _Assumed) -> _Answer:
    table = [_row(gain, assumed) for gain in _GAINS if assumed.discordance(gain / 100)]
    lines = [
        f"Test rows on which a true gain {assumed.told}:",
        "",
        "points gained  rows with just one prompt right  test rows",
    ]
    lines += [f"{row['gain']:>13g}  {100 * row['discordant']:>29.0f} %  {_number(row):>9}" for row in table]
    return {"power": assumed.chance, "gains": table}, lines


def _row(gain: float, assumed: _Assumed) -> dict[str, Any]:
    from gpo.evaluation.statistics.power import rows_needed

    share = assumed.share(gain)
    needed = rows_needed(gain / 100, share, assumed.chance)
    return {"gain": gain, "discordant": share, "power": assumed.chance, "rows": needed}


def _number(row: dict[str, Any]) -> str:
    from gpo.evaluation.statistics.power import MOST_ROWS

    return f"over {MOST_ROWS:,}" if row["rows"] is None else f"{row['rows']:,}"


def _if(share: float) -> str:
    return f"if just one prompt is right on {100 * share:.0f} % of them"
