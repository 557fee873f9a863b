"""Answers that an endpoint gave, kept on disk: a search that was stopped goes on, also one that keeps nothing itself.

Started again it asks the same, and gets the same answers, the n-th of an equal request for the n-th: as far as its code
does not depend on chance or time, it comes to where it was.
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
        """What a request is known by, and its answer where it is known from an earlier start and was not taken yet."""
        key = blake2b(json.dumps(place).encode() + body, digest_size=16).hexdigest()
        with self._lock:
            number = self._asked[key]
            self._asked[key] += 1
            known = self._known.get(key, ())
            return key, known[number].encode() if number < len(known) else None

    def keep(self, key: str, answer: bytes) -> None:
        """One more answer. It is not given to this start of the program again."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, answer.decode()]) + "\n")
