"""One chat completion without any client library: for packages that take a function as their optimizer model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.request import Request, urlopen

from benchmarks.proof.endpoint import OPTIMIZER_TOKENS, Endpoint

Turns = Sequence[Mapping[str, str]]


def chat(endpoint: Endpoint, turns: Turns, *, seed: int) -> str:
    """The reply of the optimizer model at `endpoint`, sampled at temperature 1. Raises `OSError`."""
    body = {
        "model": endpoint.model,
        "messages": list(turns),
        "temperature": 1.0,
        "max_tokens": OPTIMIZER_TOKENS,
        "seed": seed,
    }
    request = Request(
        f"{endpoint.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=900) as reply:
        return str(json.load(reply)["choices"][0]["message"]["content"] or "")
