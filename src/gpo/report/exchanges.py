"""Which conversations a report file carries, within a limit of size: those that a reader most likely opens first.

The live view has no need of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gpo.report.details import exchanges
from gpo.report.embed import pack
from gpo.report.scores import SPLITS, SplitTable, split_table
from gpo.report.views import RunView
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedScore

MOST_PAGE, LEAST_PACKED = 290_000, 100_000
"""Bytes of a page up to which conversations fill it, and what they may take of a page that is larger without them."""
_FIRST_GUESS = 6  # characters that pack into one byte, at most
_LONGEST_TEXT = 20_000
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class PackedExchanges:
    """`text` holds `kept` of the run's `total` conversations, packed."""

    text: str
    kept: int
    total: int


def pack_exchanges(run: RunView, reader: JournalReader, limit: int) -> PackedExchanges:
    """Conversations by "split/example/prompt index", packed into at most about `limit` bytes; an empty one where no
    call is recorded."""
    prompts = run.chosen_prompts()
    tables = [split_table(reader, prompts, split) for split in SPLITS]
    budget = _FIRST_GUESS * limit
    read: dict[str, list[list[str]]] = {}
    while True:
        kept: dict[str, list[list[str]]] = {}
        size = 0
        for key in _read(reader, _by_interest(run, prompts, tables), read):
            size += sum(len(text) for _, text in read[key])
            if size > budget:
                break
            kept[key] = read[key]
        # Neighbours that share a question pack best.
        packed = pack(dict(sorted(kept.items())))
        if len(packed) <= limit:
            total = sum(len(row) for table in tables for row in table.rows.values())
            return PackedExchanges(packed, len(kept), total)
        budget = min(int(size * 0.9), int(budget * 0.9 * limit / len(packed)))


def _read(
    reader: JournalReader, wanted: Iterator[tuple[str, RecordedScore]], read: dict[str, list[list[str]]]
) -> Iterator[str]:
    """The keys of `wanted`, whose conversations are in `read` when they are given out."""
    while some := list(islice(wanted, _AT_ONCE)):
        new = [(key, score) for key, score in some if key not in read]
        for (key, _), turns in zip(new, exchanges(reader, [score for _, score in new]), strict=True):
            read[key] = [[role, _shorten(text)] for role, text in turns]
        yield from (key for key, _ in some)


def _by_interest(
    run: RunView, prompts: Sequence[str], tables: Sequence[SplitTable]
) -> Iterator[tuple[str, RecordedScore]]:
    best = prompts.index(run.best_prompt)
    ends = {0, best}

    def keys(indices: Sequence[int], flipped: bool | None) -> Iterator[tuple[str, RecordedScore]]:
        for table in tables:
            for example, row in table.rows.items():
                if flipped is not None and flipped != _differs(row.get(0), row.get(best)):
                    continue
                for index in indices:
                    if index in row:
                        yield f"{table.split}/{example}/{index}", row[index]

    yield from keys(sorted(ends), True)
    yield from keys(sorted(ends), False)
    for index in reversed(range(len(prompts))):
        if index not in ends:
            yield from keys([index], None)


def _differs(before: RecordedScore | None, after: RecordedScore | None) -> bool:
    return before is not None and after is not None and before.value != after.value


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]}\n… {len(text) - _LONGEST_TEXT:,} more characters are in the journal"


def find_exchange(
    run: RunView, reader: JournalReader, split: str, example: str, index: int
) -> list[list[str]] | None:
    """One conversation, None where the grid has no such cell."""
    prompts = run.chosen_prompts()
    if split not in SPLITS or not 0 <= index < len(prompts):
        return None
    row: Any = split_table(reader, [prompts[index]], split).rows.get(example)
    return exchanges(reader, [row[0]])[0] if row else None
