"""Mutations that no test can notice, or that change what nobody was promised, each with the reason.

They are known by the changed line, so that code may move. A mutation that a person could notice does not belong here:
it needs a test.
"""

from __future__ import annotations

EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "if mcnemar_counts(risen, discordant - risen) >= SIGNIFICANCE:",
        "if mcnemar_counts(risen, discordant - risen) > SIGNIFICANCE:",
    ): "the p-value is a whole number over a power of two and so never 0.05; the verdict tests it again as well",
    ("WRAP_BYTES = 80", "WRAP_BYTES = 81"): "a rule of thumb for an estimate",
    ("COMPRESS_FROM = 1024", "COMPRESS_FROM = 1025"): "a threshold of speed; both forms are read",
    (
        '_CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)',
        '_CLOEXEC: int = getattr(os, "O_CLOEXEC", -1)',
    ): "the default is for systems that lack the flag; where the tests run it is there",
    (
        "until = math.ceil(max(0, budget - arms) / (log_bar * (arms + 1 - k)))",
        "until = math.ceil(max( -1, budget - arms) / (log_bar * (arms + 1 - k)))",
    ): "the divisor is 2 at least, so that -1 is rounded up to 0",
    (
        "share = min(MOST_USELESS, max(LEAST_USELESS, float(below.sum() / max(1, met.sum()))))",
        "share = min(MOST_USELESS, max(LEAST_USELESS, float(below.sum() / max( 2, met.sum()))))",
    ): "differs for one prompt alone, and half of it is the upper bound",
    (
        'first = draw_balanced(dealt.shown, bench.rng(0, "demonstrations"))',
        'first = draw_balanced(dealt.shown, bench.rng( -1, "demonstrations"))',
    ): "any fixed number names the stream of random numbers",
    ("self._ticks = 0", "self._ticks = -1"): "one more of the least 100 rounds of SQLite's watch",
    (
        'return " ".join(part for part in (parts if rng.random() < 0.5 else reversed(parts)) if part)',
        'return " ".join(part for part in (parts if rng.random() >= 0.5 else reversed(parts)) if part)',
    ): "the other side of a fair coin",
}
