"""A small run on the landscape, whose figures a tracker must have."""

from __future__ import annotations

from typing import Any

import gpo
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

KEY = "sk-0123456789abcdefghijKLMN"
LANDSCAPE = Landscape()


def make_task() -> gpo.Task:
    rows = {"train": LANDSCAPE.rows(6), "dev": LANDSCAPE.rows(10, 6), "test": LANDSCAPE.rows(12, 16)}
    return gpo.Task.from_rows(rows, answer={"kind": "label", "labels": ["left", "right"]})


def run(server: ModelServer, **options: Any) -> gpo.Result:
    """A run of 2 steps, whose models need a key; $GPO_TEST_KEY has it."""
    model = {
        "model": "own",
        "base_url": server.base_url,
        "api_key_env": "GPO_TEST_KEY",
        "price": {"input": 1.0, "output": 2.0},
    }
    settings: dict[str, Any] = {
        "prompt": "amber anchor",
        "models": model,
        "method": {"trajectory": "recency"},
        "optimize": {"epochs": 1, "batch_size": 3, "candidates": 3},
        **options,
    }
    return gpo.optimize(make_task(), **settings)


def figures(result: gpo.Result) -> dict[str, float]:
    """What a summary has to say of `result`, by the paths of `result.json`."""
    data = result.to_dict()
    found = {"seconds": data["seconds"]}
    for part in ("scores", "improvement", "usage"):
        for name, value in data[part].items():
            inner = value if isinstance(value, dict) else {"": value}
            for key, number in inner.items():
                if isinstance(number, int | float):
                    found[f"{part}/{name}/{key}".rstrip("/")] = number
    return found
