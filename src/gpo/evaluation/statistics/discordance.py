"""On how many rows two prompts differ, where nobody has measured it: what `gpo power` assumes."""

from __future__ import annotations

USUAL = 0.2
"""Share of rows on which just one of two prompts is right, where nothing else is said."""
LOST = 0.05
"""At least that many rows are taken to fall beside those that rise: few changes of a prompt only gain."""


def assume_discordance(gain: float, given: float | None = None, baseline: float | None = None) -> float:
    """The share of discordant rows (0 to 1) that goes with a true `gain` (0 to 1) over a first prompt that scores
    `baseline`: `given` where it is; with a baseline p alone that of prompts whose answers have nothing to do with each
    other, p (1 − q) + q (1 − p) with q = p + gain, which is more than similar prompts have and so asks for more rows;
    else the larger of 0.2 and the gain and twice 0.05.

    Raises `ValueError` with a line for a person where there can be no such gain.
    """
    if baseline is not None and gain > 1 - baseline + 1e-12:
        raise ValueError(
            f"over a baseline of {100 * baseline:g} points a gain is at most {100 * (1 - baseline):g} points"
        )
    if given is None:
        if baseline is None:
            return min(1.0, max(USUAL, gain + 2 * LOST))
        after = baseline + gain
        return baseline * (1 - after) + after * (1 - baseline)
    if gain > given + 1e-12:
        raise ValueError(
            f"where prompts differ on {100 * given:g} % of the rows a gain is at most {100 * given:g} points"
        )
    if baseline is not None and (
        (given + gain) / 2 > 1 - baseline + 1e-12 or (given - gain) / 2 > baseline + 1e-12
    ):
        raise ValueError(
            f"over a baseline of {100 * baseline:g} points prompts cannot differ on {100 * given:g} % of the rows "
            f"with a gain of {100 * gain:g} points"
        )
    return given
