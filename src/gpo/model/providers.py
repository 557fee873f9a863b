"""Providers that are spoken to on their own wire, and how a model of theirs is named: `anthropic:NAME`, `gemini:NAME`.

Knows no wire and no package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Provider:
    """`base_url` and `key` (an environment variable) where the configuration names none, `prices` its name in the table
    of prices, `lacks` the parameters that its wire does not have."""

    base_url: str
    key: str
    prices: str
    lacks: frozenset[str]


PROVIDERS = {
    "anthropic": Provider(
        "https://api.anthropic.com", "ANTHROPIC_API_KEY", "anthropic", frozenset({"n", "seed"})
    ),
    "gemini": Provider(
        "https://generativelanguage.googleapis.com", "GEMINI_API_KEY", "google", frozenset({"n"})
    ),
}


class NativeName(NamedTuple):
    """A model's name at a provider of `PROVIDERS`."""

    provider: str
    model: str


def native_name(model: str) -> NativeName | None:
    """`model` of a configuration at its provider, None where it is another's."""
    provider, colon, name = model.partition(":")
    return NativeName(provider, name) if colon and name and provider in PROVIDERS else None
