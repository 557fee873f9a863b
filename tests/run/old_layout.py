"""Runs that GPO 0.1.0 began and did not finish, kept in `layout1/`, and what the whole of each would have been.

Made with the code of commit 6e026e9, the last one before run directories said which layout they have:

    uv run python -c "from tests.run import old_layout; old_layout.make()"

`NAME.sqlite.xz` is the journal of a run that a budget stopped half-way, `NAME.json` the calls and the outcome of the
same run to its end. The names of this module and of `answer` are part of the calls' keys.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gpo
from gpo.errors import BudgetError
from gpo.result.result import Result
from gpo.storage.journal_reader import JournalReader
from tests.support.landscape import Landscape
from tests.support.runs import write_task

KEPT = Path(__file__).with_name("layout1")

# Between them: both presets, warm-up, a trajectory of every kind that needs no embedder, both refinements, two rounds.
RUNS: dict[str, dict[str, Any]] = {
    "paper": {
        "method": {
            "direction": "prompt+performance",
            "trajectory": "summarization",
            "edit_distance": "cosine+warmup",
            "refinement": "editing",
        },
    },
    "released": {
        "method": {
            "direction": "prompt+performance+reflection",
            "trajectory": "importance",
            "edit_distance": "linear+warmup",
            "refinement": "generation",
        },
        "preset": "released",
    },
    "recency": {
        "method": {
            "direction": "prompt+performance",
            "trajectory": "recency",
            "edit_distance": "cosine",
            "refinement": "generation",
        },
        "rounds": 2,
        "preset": "released",
    },
}

asked: list[str] = []
"""What `answer` was asked in this process."""


def answer(messages: Sequence[dict[str, str]], seed: int | None = None) -> str:
    """Both models: the landscape."""
    asked.append(messages[-1]["content"])
    return Landscape().answer({"messages": list(messages), "seed": seed})


def go_on(name: str, run_dir: str, **more: Any) -> Result:
    """Begin the run `name` in `run_dir`, or go on with it; the rows lie in the folder `data` here."""
    settings = dict(RUNS[name])
    answers = {"kind": "label", "labels": ["left", "right"], "rounds": settings.pop("rounds", 1)}
    return gpo.optimize(
        {"data": {split: f"data/{split}.jsonl" for split in ("train", "dev", "test")}, "answer": answers},
        prompt="amber anchor",
        models={"task": answer, "optimizer": answer},
        run_dir=run_dir,
        **{"optimize": {"epochs": 3, "batch_size": 8, "candidates": 3}, **settings, **more},
    )


def write_rows() -> None:
    """The rows of all of these runs, into the folder `data` here."""
    write_task(Path("data"), Landscape())


def calls(run_dir: Path) -> list[str]:
    """The keys of all calls that the journal of `run_dir` has answers to, sorted."""
    with JournalReader(run_dir / "journal.sqlite") as reader:
        return sorted(call.reply.call or "" for call in reader.calls())


def unpack(name: str, run_dir: Path) -> dict[str, Any]:
    """Put the half-finished run `name` into `run_dir`; returns what the whole of it was."""
    run_dir.mkdir()
    (run_dir / "journal.sqlite").write_bytes(lzma.decompress((KEPT / f"{name}.sqlite.xz").read_bytes()))
    whole: dict[str, Any] = json.loads((KEPT / f"{name}.json").read_text())
    return whole


def make() -> None:
    """Write the files in `layout1/`; to be called with the old code only."""
    import os

    with TemporaryDirectory() as folder:
        os.chdir(folder)
        write_rows()
        for name in RUNS:
            result = go_on(name, f"{name}-whole")
            whole = calls(Path(f"{name}-whole"))
            try:
                go_on(name, f"{name}-half", budget={"max_calls": len(whole) // 2})
            except BudgetError:
                pass
            journal = Path(f"{name}-half") / "journal.sqlite"
            (KEPT / f"{name}.sqlite.xz").write_bytes(lzma.compress(journal.read_bytes()))
            outcome = {
                "calls": whole,
                "best_prompt": result.best_prompt,
                "dev": result.scores.best.dev,
                "steps": [dict(step) for step in result.steps],
            }
            (KEPT / f"{name}.json").write_text(json.dumps(outcome, indent=0) + "\n")
