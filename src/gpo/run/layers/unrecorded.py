"""Answers that are paid for and not in the journal: for a moment, or for good where the disk is full."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gpo.model.model import Usage

UNRECORDED = "unrecorded"
"""The key in the journal."""


class Unrecorded:
    """Those of this process, and those that earlier ones could not record: `remembered`, as `to_json` gave them."""

    def __init__(self, remembered: Iterable[Any] = ()) -> None:
        self._earlier = [_entry(*values) for values in remembered]
        self._now: dict[str, tuple[str, Usage]] = {}

    def __len__(self) -> int:
        return len(self._earlier) + len(self._now)

    @property
    def earlier(self) -> list[tuple[str, Usage]]:
        """Role and usage of what earlier processes could not record."""
        return [(role, usage) for _, role, usage in self._earlier]

    def add(self, key: str, role: str, usage: Usage) -> None:
        """An answer is here, and not yet in the journal."""
        self._now[key] = (role, usage)

    def remove(self, key: str) -> None:
        """It is in the journal."""
        self._now.pop(key, None)

    def find(self, key: str) -> bool:
        """Whether an earlier process could not record an answer to the call `key`. Then it is no longer one of them:
        the store has kept it, and now it is recorded."""
        place = next((i for i, (known, _, _) in enumerate(self._earlier) if known == key), None)
        if place is not None:
            del self._earlier[place]
        return place is not None

    def to_json(self, is_recorded: Callable[[str], bool] = lambda key: True) -> list[list[Any]]:
        """What is to be remembered, of this process only what is not recorded."""
        now = [(key, *answer) for key, answer in self._now.items() if not is_recorded(key)]
        return [
            [key, role, usage.prompt_tokens, usage.completion_tokens]
            for key, role, usage in [*self._earlier, *now]
        ]


def _entry(key: Any, role: Any, prompt_tokens: Any, completion_tokens: Any) -> tuple[str, str, Usage]:
    usage = Usage(prompt_tokens=int(prompt_tokens), completion_tokens=int(completion_tokens))
    return str(key), str(role), usage
