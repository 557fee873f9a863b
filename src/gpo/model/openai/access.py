"""How an endpoint is reached, whichever client carries the calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


# Headers and secrets hold keys: they never stand in a text.
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EndpointAccess:
    """`base` is the address and `name` what errors call it; `timeout` is in seconds for a whole call; `secrets` stand
    in no error."""

    base: str
    name: str
    headers: Mapping[str, str]
    proxy: str | None = None
    secrets: Sequence[str] = ()
    timeout: float = 120.0
