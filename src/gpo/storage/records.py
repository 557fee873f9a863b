"""What a journal holds, as Python records: replies, calls, scores, events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from gpo.model.model import Reply, Request
from gpo.value_class import value_class


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """An answer from the journal and the role whose call it was."""

    role: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A whole call, for people. `started` is in seconds since 1970."""

    role: str
    request: Request
    reply: Reply
    started: float


class LedgerLine(NamedTuple):
    """What one call used, without its texts. `started` is in seconds since 1970."""

    key: str
    role: str
    purpose: str
    source: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    started: float
    seconds: float


@value_class
class RecordedScore:
    """What one prompt got on one example.

    `value` is None where the example could not be scored; `unreadable` says that the model answered and no
    answer could be read from it. `prediction` is what was read, as JSON (a tuple comes back as a list).
    `calls` are the keys of the calls it rests on, one a round.
    """

    prompt_id: str
    split: str
    example_id: str
    value: float | None
    prediction: Any
    unreadable: bool
    calls: tuple[str, ...]
    cut: bool = False
    """Whether a reply that it rests on ended at its length."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: a failure, a warning, the start or end of a process. `at`: seconds since 1970."""

    at: float
    kind: str
    data: Any
