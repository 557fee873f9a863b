"""Whole run directories that GPO 0.1.0 left behind, kept in `runs_0_1_0/`, and how they are made and unpacked.

Layout 1 is that of commit 6e026e9; layout 2 that of b9af4e8, the last commit that called itself 0.1.0. Made with the
code of each:

    git archive COMMIT src tests/support tests/__init__.py | tar x -C OLD && cp -r tests/release OLD/tests/
    cd OLD && export PYTHONPATH=$PWD/src:$PWD
    python -c "from tests.release import old_run; old_run.make('FOLDER', 'layout2')"

`complete` is a run of the command line that ended, `half` one of `gpo.optimize` that a budget stopped half-way, whose
calls and outcome, had it gone on, are in `whole.json`. Names of this module are part of the keys of its calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gpo
from gpo.errors import BudgetError
from tests.support.landscape import Landscape
from tests.support.runs import write_task
from tests.support.server import ModelServer

KEPT = Path(__file__).with_name("runs_0_1_0")
LAYOUTS = ("layout1", "layout2")
PORT = 18473
"""Where the server of the complete run answered; nothing need be there when the run is opened."""

asked: list[str] = []
"""What `answer` was asked in this process."""

_CONFIG = """\
task:
  data: data
  answer: {{kind: label, labels: [left, right]}}
prompt: amber anchor
models:
  task: {{model: landscape, base_url: "http://127.0.0.1:{port}/v1"}}
  optimizer: {{model: landscape, base_url: "http://127.0.0.1:{port}/v1"}}
method: {{direction: prompt+performance, trajectory: recency, edit_distance: cosine, refinement: generation}}
optimize: {{epochs: 1, batch_size: 8, candidates: 3}}
"""


def answer(messages: Sequence[dict[str, str]], seed: int | None = None) -> str:
    """Both models of the half-finished run: the landscape."""
    asked.append(messages[-1]["content"])
    return Landscape().answer({"messages": list(messages), "seed": seed})


def go_on(run_dir: str, **more: Any) -> gpo.Result:
    """Begin the half-finished run in `run_dir`, or go on with it; the rows lie in the folder `data` here."""
    return gpo.optimize(
        {"data": "data", "answer": {"kind": "label", "labels": ["left", "right"]}},
        prompt="amber anchor",
        models={"task": answer, "optimizer": answer},
        method={
            "direction": "prompt+performance",
            "trajectory": "importance",
            "edit_distance": "cosine",
            "refinement": "editing",
        },
        optimize={"epochs": 2, "batch_size": 8, "candidates": 3},
        run_dir=run_dir,
        **more,
    )


def write_inputs() -> None:
    """The rows of both runs and the configuration of the complete one, here."""
    write_task(Path("data"), Landscape())
    Path("gpo.yaml").write_text(_CONFIG.format(port=PORT))


def unpack(layout: str, folder: Path) -> dict[str, Any]:
    """Put the runs of `layout` into `folder` as `complete` and `half`; returns what the whole of the half one was."""
    with tarfile.open(KEPT / f"{layout}.tar.xz") as packed:
        # Python has the filter since 3.11.4; what is unpacked here is our own.
        known: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        packed.extractall(folder, **known)
    whole: dict[str, Any] = json.loads((folder / "whole.json").read_text())
    return whole


def make(kept: str, layout: str) -> None:
    """Write `kept`/`layout`.tar.xz; to be called with the old code only."""
    target = Path(kept).resolve() / f"{layout}.tar.xz"
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["GPO_HOME"] = f"{folder}/home"
        write_inputs()
        with ModelServer(answer=Landscape().answer, port=PORT):
            command = "from gpo.cli.main import main; main()"
            arguments = [sys.executable, "-c", command, "optimize", "gpo.yaml", "--run-dir", "complete"]
            subprocess.run(arguments, check=True, timeout=100)
        asked.clear()
        result = go_on("whole")
        calls = len(asked)
        with suppress(BudgetError):
            go_on("half", budget={"max_calls": calls // 2})
        outcome = {
            "calls": calls,
            "best_prompt": result.best_prompt,
            "dev": result.scores.best.dev,
            "steps": [dict(step) for step in result.steps],
        }
        Path("whole.json").write_text(json.dumps(outcome))
        with tarfile.open(target, "w:xz") as packed:
            for name in ("complete", "half", "whole.json"):
                packed.add(name, filter=_forget_who)


def _forget_who(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(member.name).name in (".lock", "report.html"):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
