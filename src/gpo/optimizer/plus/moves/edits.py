"""Deterministic edits, the analogue of a coordinate search: one phrase dropped or moved, one clause added or moved.

They need no optimizer model and write no nonsense (GrIPS, Prasad et al. 2022, arXiv 2203.07281). A pure function of the
words, the clauses and the generator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

_PHRASE = re.compile(r"(?<=[.!?;:,])\s+|\n+")

Edit = Callable[[str, Sequence[str], Random], str]


def split_phrases(words: str) -> list[str]:
    """The phrases of a prompt: what stands between marks of punctuation and line ends."""
    return [part.strip() for part in _PHRASE.split(words.strip()) if part.strip()]


def edit(words: str, clauses: Sequence[str], rng: Random) -> str:
    """`words` after one edit, which may leave them as they are; `clauses` are sentences that may be added."""
    return rng.choice(EDITS)(words, clauses, rng)


def drop_phrase(words: str, clauses: Sequence[str], rng: Random) -> str:
    """Without one of its phrases; a prompt of one phrase loses a word."""
    parts = split_phrases(words)
    if len(parts) < 2:
        parts = words.split()
    if len(parts) < 2:
        return words
    del parts[rng.randrange(len(parts))]
    return " ".join(parts)


def swap_phrases(words: str, clauses: Sequence[str], rng: Random) -> str:
    """With two neighbouring phrases in the other order."""
    parts = split_phrases(words)
    if len(parts) < 2:
        return words
    place = rng.randrange(len(parts) - 1)
    parts[place], parts[place + 1] = parts[place + 1], parts[place]
    return " ".join(parts)


def add_clause(words: str, clauses: Sequence[str], rng: Random) -> str:
    """With a clause that it lacks, in front or at the end."""
    missing = [clause for clause in clauses if clause not in words]
    if not missing:
        return words
    parts = [rng.choice(missing), words.strip()]
    return " ".join(part for part in (parts if rng.random() < 0.5 else reversed(parts)) if part)


def move_clause(words: str, clauses: Sequence[str], rng: Random) -> str:
    """With one of its clauses at the other end."""
    held = [clause for clause in clauses if clause in words]
    if not held:
        return words
    clause = rng.choice(held)
    rest = " ".join(words.replace(clause, " ", 1).split())
    if not rest:
        return words
    return f"{rest} {clause}" if words.strip().startswith(clause) else f"{clause} {rest}"


EDITS: tuple[Edit, ...] = (drop_phrase, swap_phrases, add_clause, add_clause, move_clause)
