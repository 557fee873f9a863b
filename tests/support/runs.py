"""Small whole runs against the loopback server, on the simulated landscape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.landscape import Landscape
from tests.support.server import ModelServer


def write_task(folder: Path, landscape: Landscape, *, train: int = 16, dev: int = 12, test: int = 20) -> Path:
    """A folder of split files; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    first = 0
    for name, size in (("train", train), ("dev", dev), ("test", test)):
        rows = landscape.rows(size, first)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
        first += size
    return folder


def config(server: ModelServer, data: Path, **changes: Any) -> dict[str, Any]:
    """A configuration of a small run; `changes` replace whole sections."""
    model = {"model": "landscape", "base_url": server.base_url}
    return {
        "task": {"data": str(data), "answer": {"kind": "label", "labels": ["left", "right"]}},
        "prompt": "amber anchor",
        "models": {"task": dict(model), "optimizer": dict(model)},
        "optimize": {"epochs": 2, "batch_size": 8, "candidates": 3},
        **changes,
    }


def meta_prompts(server: ModelServer) -> list[str]:
    """The text of every request for candidates that the server finished, in the order of their arrival."""
    texts = [body["messages"][-1]["content"] for body in server.bodies() if body.get("messages")]
    return [text for text in texts if "<START>" in text]
