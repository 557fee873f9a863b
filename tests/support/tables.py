"""Tables as a new user brings them, and a server's answers to them. Knows no run."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from gpo.task import builtin
from tests.support.server import last_text

Table = list[dict[str, str]]


def tickets(rows: int) -> Table:
    """Messages with their queue."""
    splits, _ = builtin.load("tickets", seed=0, split=None)
    found = [row for part in splits.values() for row in part]
    return [{"message": str(row["input"]), "queue": str(row["target"])} for row in found[:rows]]


def numbers(rows: int) -> Table:
    """Sums in words, with their result."""
    rng = random.Random(1)
    pairs = rng.sample([(a, b) for a in range(10, 99) for b in range(10, 99)], rows)
    return [{"question": f"Ann has {a} and gets {b}. How many?", "answer": str(a + b)} for a, b in pairs]


def summaries(rows: int) -> Table:
    """Notes with a reference summary."""
    nouns = ("printer", "lift", "window", "heater", "door")
    verbs = ("is broken", "makes noise", "was repaired", "needs a part")
    return [
        {
            "id": str(n),
            "text": f"Report {n}: on floor {n % 9} the {nouns[n % 5]} {verbs[n % 4]}, says a guest of room {n}.",
            "summary": f"The {nouns[n % 5]} on floor {n % 9} {verbs[n % 4]}, room {n}.",
        }
        for n in range(rows)
    ]


def write_csv(path: Path, rows: Table, delimiter: str = ",") -> Path:
    """`rows` as a file with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


class TableModel:
    """Answers the rows of a table, more often rightly the longer the prompt, and writes ever longer prompts."""

    def __init__(self, rows: Sequence[Mapping[str, str]], question: str, answer: str) -> None:
        self._right = {row[question]: row[answer] for row in rows}
        self._wrong = sorted(set(self._right.values()))

    def answer(self, body: dict[str, Any]) -> str:
        """One reply."""
        text = last_text(body)
        if "<START>" in text:
            words = (
                "please",
                "read",
                "with",
                "care",
                "and",
                "answer",
                "as",
                "it",
                "was",
                "done",
                "before",
                "today",
            )
            rng = random.Random(body.get("seed", 0))
            return f"<START>{' '.join(rng.choices(words, k=rng.randint(4, 40)))}<END>"
        question = next((known for known in self._right if known in text), "")
        points = blake2b(f"{question}/{len(text)}".encode(), digest_size=2).digest()
        extra = len(text) - len(question)
        if int.from_bytes(points) % 400 < extra + 60:
            return self._right.get(question, "")
        return self._wrong[points[0] % len(self._wrong)]
