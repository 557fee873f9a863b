"""Answers that an endpoint gave, kept on disk: a search that was stopped goes on, also one that keeps nothing itself.

Started again it asks the same, and gets the same answers, the n-th of an equal request for the n-th: as far as its code
does not depend on chance or time, it comes to where it was. What is asked at temperature 0 has one answer, whoever
asks: it is taken from here every time, and counted as the call that it would have been.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from hashlib import blake2b
from pathlib import Path


class KeptAnswers:
    """Answers in `path`, a line each, by where and what was asked."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._known: dict[str, list[str]] = {}
        self._asked: Counter[str] = Counter()
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                key, text = json.loads(line)
            except ValueError:  # cut in two by a kill
                continue
            self._known.setdefault(key, []).append(text)

    def take(self, place: tuple[str, str], body: bytes) -> tuple[str, bytes | None]:
        """What a request is known by, and its answer where it is known: from an earlier start and not taken yet, or at
        temperature 0."""
        fixed = _temperature(body) == 0
        asked = body if fixed else json.dumps(place).encode() + body
        key = blake2b(asked, digest_size=16).hexdigest()
        with self._lock:
            number = 0 if fixed else self._asked[key]
            self._asked[key] += 1
            known = self._known.get(key, ())
            return key, known[number].encode() if number < len(known) else None

    def keep(self, key: str, answer: bytes, body: bytes) -> None:
        """One more answer. A sampled one is not given to this start of the program again."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            if _temperature(body) == 0:
                self._known.setdefault(key, []).append(answer.decode())
            file.write(json.dumps([key, answer.decode()]) + "\n")


def _temperature(body: bytes) -> float | None:
    try:
        found = json.loads(body).get("temperature")
    except (ValueError, AttributeError):
        return None
    return float(found) if isinstance(found, int | float) else None
