"""What a search has to begin with and to make candidates of, beside the words of the optimizer model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gpo.config.plus import PlusConfig
from gpo.evaluation.outcome import Outcome
from gpo.optimizer.candidates import Guard
from gpo.optimizer.plus.moves.bootstrap import first_sets
from gpo.optimizer.plus.moves.demonstrations import Shown, draw_balanced
from gpo.optimizer.plus.moves.library import Start, build_library, choose_clauses
from gpo.optimizer.plus.moves.program_library import build_program_library, choose_program_clauses
from gpo.optimizer.plus.output_part import find_output_part, quotes_source
from gpo.optimizer.workbench import Workbench

NO_PLACE = (
    "the program's first runs do not tell which prompt the output comes from, so gpo+ shows no demonstrations"
)


@dataclass(frozen=True, slots=True)
class SearchMaterial:
    """Start prompts, `pool`: demonstrations to choose from, `clauses`: sentences that an edit may add, by the one of
    several prompts that it changes. `warnings` say what there is none of."""

    starts: Sequence[Start] = ()
    pool: Shown = ()
    clauses: Mapping[str | None, Sequence[str]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def gather(
    bench: Workbench, guard: Guard, settings: PlusConfig, *, pool: Shown, first: Sequence[Outcome]
) -> SearchMaterial:
    """The material of a search that begins with `guard.initial`. `pool` are demonstrations; `first` is what became of
    the initial prompt on its first rows: of a program it tells which prompt the output comes from."""
    task, max_tokens = bench.task, bench.scorer.settings.max_tokens
    rng = bench.rng(0, "demonstrations")
    if task.program is None or task.program.demonstrate is not None:
        shown = draw_balanced(pool, rng) if task.program is None else first_sets(task, pool, rng)
        starts = build_library(task, guard.initial, max_tokens, guard, shown) if settings.library else []
        clauses = choose_clauses(task, max_tokens)
        return SearchMaterial(starts, pool, dict.fromkeys((None, *task.parts), clauses))
    last = find_output_part(task.parts, first)
    quotes = quotes_source(first, [task.target_text(outcome.example).strip() for outcome in first])
    found = choose_program_clauses(task, last, max_tokens, quotes=quotes)
    warnings = (NO_PLACE,) if pool and last is None else ()
    part = last if last and len(task.parts) > 1 else ""
    pool = tuple(replace(item, part=part) for item in pool) if last else ()
    shown = draw_balanced(pool, rng)
    starts = build_program_library(guard.initial, found, guard, shown) if settings.library else []
    return SearchMaterial(starts, pool, found.by_part, warnings)
