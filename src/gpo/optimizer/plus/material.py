"""What a search has to begin with and to make candidates of, beside the words of the optimizer model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gpo.config.plus import PlusConfig
from gpo.evaluation.outcome import Outcome
from gpo.optimizer.candidates import Guard
from gpo.optimizer.plus.moves.demonstrations import Shown, draw_balanced
from gpo.optimizer.plus.moves.library import Start, build_library, choose_clauses
from gpo.optimizer.plus.moves.program_library import build_program_library, choose_program_clauses
from gpo.optimizer.plus.output_part import find_output_part, quotes_source
from gpo.optimizer.workbench import Workbench
from gpo.task.program.part_demonstrations import PartPlace

NO_PLACE = (
    "no prompt of the program has its reply as the output in a quarter of the first runs, so gpo+ shows no "
    "demonstrations"
)


@dataclass(frozen=True, slots=True)
class SearchMaterial:
    """Start prompts, `pool`: demonstrations to choose from, `place`: the one of several prompts that they stand in,
    `clauses`: sentences that an edit may add, by the part that it changes. `warnings` say what there is none of."""

    starts: Sequence[Start] = ()
    pool: Shown = ()
    place: PartPlace | None = None
    clauses: Mapping[str | None, Sequence[str]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def gather(
    bench: Workbench,
    guard: Guard,
    settings: PlusConfig,
    *,
    pool: Shown,
    place: PartPlace | None,
    first: Sequence[Outcome],
) -> SearchMaterial:
    """The material of a search that begins with `guard.initial`. `pool` are the rows that may be shown, `place` is
    where the initial prompt shows some itself, and `first` is what became of it on its first rows: of a program they
    tell which prompt its output comes from."""
    task, max_tokens = bench.task, bench.scorer.settings.max_tokens
    shown = draw_balanced(pool, bench.rng(0, "demonstrations"))
    if task.program is None:
        starts = build_library(task, guard.initial, max_tokens, guard, shown) if settings.library else []
        return SearchMaterial(starts, pool, clauses={None: choose_clauses(task, max_tokens)})
    last = place.part if place else find_output_part(task.parts, first)
    quotes = quotes_source(first, [task.target_text(outcome.example).strip() for outcome in first])
    clauses = choose_program_clauses(task, last, max_tokens, quotes=quotes)
    warnings = (NO_PLACE,) if pool and last is None else ()
    if last is None:
        pool = shown = ()
    starts = build_program_library(guard.initial, clauses, guard, shown) if settings.library else []
    if last and len(task.parts) > 1:
        place = PartPlace(task.parts, last)
    return SearchMaterial(starts, pool, place, clauses.by_part, warnings)
