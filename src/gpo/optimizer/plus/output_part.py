"""Which of a program's prompts its output comes from: read off the calls that its first runs made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gpo.evaluation.outcome import Outcome
from gpo.evaluation.program_model import LONGEST

SHARE = 0.25
"""Of the runs, whose output a part gave: with fewer it is an exception."""


def find_output_part(names: Sequence[str], outcomes: Iterable[Outcome]) -> str | None:
    """The one of the prompts `names` whose call gave the output of most runs: the last call, where the output is its
    reply. Of several in such calls the one that fewest calls hold: of a loop's first and second prompt the second. None
    where nobody can tell: an output of the program's own making, a prompt that no run came to yet (a loop's second
    where the first one failed), or no calls that are seen, unless there is one prompt alone."""
    gave, held = Counter[str](), Counter[str]()
    seen = [outcome for outcome in outcomes if outcome.trace]
    only = tuple(names) if len(names) == 1 else ()
    if only and not seen:
        return only[0]
    for outcome in seen:
        held.update(name for call in outcome.trace for name in call.parts)
        last = outcome.trace[-1]
        if last.reply.strip() == outcome.reply[:LONGEST].strip():
            gave.update(only or last.parts)
    if not only and any(not held[name] for name in names):
        return None
    usual = [name for name in names if gave[name] and gave[name] >= SHARE * len(seen)]
    # Of equals the later one: it is nearer to the answer.
    return min(reversed(usual), key=lambda name: held[name], default=None)


def quotes_source(outcomes: Iterable[Outcome], targets: Sequence[str]) -> bool:
    """Whether at least half of the expected answers, `targets`, of runs stand word for word in what the last call was
    asked: then the answer is to be found there."""
    found = [
        target.lower() in outcome.trace[-1].asked.lower()
        for outcome, target in zip(outcomes, targets, strict=True)
        if outcome.trace and target
    ]
    return 2 * sum(found) >= len(found) > 0
