"""Small whole runs against the loopback server: the landscape's task, few rows, quick retries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpo.config.load import parse_config
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.run.plan import Plan, assemble
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

ROWS = {"train": 6, "dev": 8, "test": 10}
PROMPT = "Let us think about it"


def write_rows(folder: Path, landscape: Landscape | None = None) -> None:
    """Train, dev and test of the landscape as files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    first = 0
    for split, count in ROWS.items():
        rows = (landscape or Landscape()).rows(count, first)
        first += count
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(text)


def configuration(base_url: str, folder: Path, **sections: Any) -> dict[str, Any]:
    """A run of 2 steps of 3 candidates that makes about 70 calls; `sections` replace whole sections, and the keys of
    `model` go to both models."""
    model: dict[str, Any] = {
        "base_url": base_url,
        "max_tokens": 20,
        "concurrency": 8,
        "retry_delay": 0.001,
        "retries": 8,
        **sections.pop("model", {}),
    }
    return {
        "task": {
            "data": {split: str(folder / f"{split}.jsonl") for split in ROWS},
            "answer": {"kind": "label", "labels": ["left", "right"]},
        },
        "prompt": PROMPT,
        "models": {"task": {"model": "task", **model}, "optimizer": {"model": "optimizer", **model}},
        # Not relevance: it would load an embedder.
        "method": {"trajectory": "recency"},
        "optimize": {"epochs": 1, "batch_size": 3, "candidates": 3, "resamples": 1},
        **sections,
    }


def plan(server: ModelServer | str, folder: Path, **sections: Any) -> Plan:
    """A new plan, with data files in `folder` made where there are none."""
    if not (folder / "dev.jsonl").exists():
        write_rows(folder)
    base_url = server if isinstance(server, str) else server.base_url
    return assemble(parse_config(configuration(base_url, folder, **sections)), base_dir=folder)


async def run(server: ModelServer | str, folder: Path, name: str = "run", **sections: Any) -> Result:
    """Run to the end, or go on, in the run directory `folder/name`, without the user's store."""
    found = plan(server, folder, **sections)
    return await Run(found, RunDirectory(folder / name), use_shared_store=False).execute()


def timeless(result: Result | Mapping[str, Any]) -> dict[str, Any]:
    """A result as JSON values without what depends on the clock, on the server's port and on how often it refused."""
    data: dict[str, Any] = json.loads(json.dumps(result.to_dict() if isinstance(result, Result) else result))
    data.pop("seconds")
    data.pop("models", None)
    for extra in ("pace", "speed", "limits", "lost_attempts"):
        data.pop(extra, None)
    return data


def landscape_server(**settings: Any) -> ModelServer:
    """A server that answers both roles."""
    return ModelServer(answer=Landscape().answer, **settings)
