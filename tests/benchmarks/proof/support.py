"""A loopback model for the tickets: an optimizer that recombines, a task model that answers with some label."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from gpo.task.builtin.tickets import LABELS
from tests.support.landscape import Landscape
from tests.support.server import all_text, last_text


def answer(body: dict[str, Any]) -> str:
    """A label that depends on the whole request, or a new prompt."""
    text = all_text(body)
    if "<START>" in text:
        return Landscape(edits=6).optimize(last_text(body), seed=int(body.get("seed") or 0))
    number = blake2b(text.encode(), digest_size=2).digest()[0]
    return LABELS[number % len(LABELS)] if number < 200 else "I cannot tell."
