"""Mutations that no test can notice, or that change what nobody was promised, each with the reason.

They are known by the file's name and the changed line, so that code may move. A mutation that a person could notice
does not belong here: it needs a test.
"""

from __future__ import annotations

EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "bandit.py",
        "until = math.ceil(max(0, budget - arms) / (log_bar * (arms + 1 - k)))",
        "until = math.ceil(max( -1, budget - arms) / (log_bar * (arms + 1 - k)))",
    ): "the divisor is 2 at least, so that -1 is rounded up to 0",
    ("codec.py", "COMPRESS_FROM = 1024", "COMPRESS_FROM = 1025"): "a threshold of speed; both forms are read",
    (
        "connection.py",
        "self._ticks = 0",
        "self._ticks = -1",
    ): "one more of the least 100 rounds of SQLite's watch",
    (
        "edits.py",
        'return " ".join(part for part in (parts if rng.random() < 0.5 else reversed(parts)) if part)',
        'return " ".join(part for part in (parts if rng.random() >= 0.5 else reversed(parts)) if part)',
    ): "the other side of a fair coin",
    ("library.py", "MOST_LABELS = 30", "MOST_LABELS = 29"): "a threshold of taste",
    ("loop.py", "break", "continue"): "nothing is missing in the next round either",
    ("methods.py", "layout: int = 2,", "layout: int = 3,"): "any number but 1 is today's layout",
    (
        "posterior.py",
        "share = min(MOST_USELESS, max(LEAST_USELESS, float(below.sum() / max(1, met.sum()))))",
        "share = min(MOST_USELESS, max(LEAST_USELESS, float(below.sum() / max( 2, met.sum()))))",
    ): "differs for one prompt alone, and half of it is the upper bound",
    (
        "power.py",
        "if mcnemar_counts(risen, discordant - risen) >= SIGNIFICANCE:",
        "if mcnemar_counts(risen, discordant - risen) > SIGNIFICANCE:",
    ): "the p-value is a whole number over a power of two and so never 0.05; the verdict tests it again as well",
    (
        "power.py",
        "while high - low > 1:",
        "while high - low != 1:",
    ): "the distance begins at 1 or more and is halved down to 1",
    (
        "regular_file.py",
        '_CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)',
        '_CLOEXEC: int = getattr(os, "O_CLOEXEC", -1)',
    ): "the default is for systems that lack the flag; where the tests run it is there",
    ("replies.py", "_TYPICAL = 100", "_TYPICAL = 101"): "the length of a quotation",
    (
        "search.py",
        'first = draw_balanced(dealt.shown, bench.rng(0, "demonstrations"))',
        'first = draw_balanced(dealt.shown, bench.rng( -1, "demonstrations"))',
    ): "any fixed number names the stream of random numbers",
    (
        "session_clock.py",
        "def __init__(self, earliest: float = 0.0) -> None:",
        "def __init__(self, earliest: float = 1.0) -> None:",
    ): "both are long before any run: seconds since 1970",
    (
        "skeleton.py",
        "break",
        "continue",
    ): "a plateau is one in the next round too, so that nothing more is done",
    (
        "standing.py",
        "best = pick_best(self.estimates, self.eligible(), 1)",
        "best = pick_best(self.estimates, self.eligible(), 2)",
    ): "only the first of them is taken",
    ("text_sizes.py", "WRAP_BYTES = 80", "WRAP_BYTES = 81"): "a rule of thumb for an estimate",
    (
        "tango.py",
        "low = _crossing(gained, lost, rows, -1.0, estimate, z)",
        "low = _crossing(gained, lost, rows, - 2.0, estimate, z)",
    ): "below -1 the statistic is over z as well: the same limit to eight digits (all counts of 17 rows and of 40)",
}
