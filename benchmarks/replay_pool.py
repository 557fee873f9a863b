"""A pool of prompts from all optimizers, each scored once on the same rows: what allocation rules are replayed on.

    python -m benchmarks.replay_pool DATA_DIR OUT.jsonl --tasks tickets wsc … [--prompts 48] [--rows 100]
        [--base-url URL --model NAME]

The fixed prompts, and what gpo, ape, opro, pe2 and apo propose in short runs on rows of train and dev, taken in turns
and each text once. Half of the rows are those of search, the others held out. Runs lie in OUT.jsonl.runs; a command
that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.proof.endpoint import add_arguments, from_arguments
from benchmarks.proof.lines import Lines
from benchmarks.proof.own import no_embedder
from benchmarks.proof.pool import build
from benchmarks.results import say
from gpo.errors import GPOError


def main(arguments: Sequence[str] | None = None) -> int:
    """Propose, score, keep."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replay_pool", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["tickets", "boolean_expressions", "object_counting"])
    parser.add_argument("--prompts", type=int, default=48)
    parser.add_argument("--rows", type=int, default=100)
    add_arguments(parser)
    found = parser.parse_args(arguments)
    try:
        endpoint = from_arguments(found)
        why = no_embedder()
        if why:
            say(f"gpo proposes with `trajectory: recency`: {why}")
        settings = {
            **endpoint.settings,
            "prompts": found.prompts,
            "rows": found.rows,
            "trajectory": "recency" if why else "relevance",
        }
        command = (
            f"python -m benchmarks.replay_pool DATA_DIR OUT.jsonl --tasks {' '.join(found.tasks)} "
            f"--prompts {found.prompts} --rows {found.rows} --model {found.model}"
        )
        lines = Lines(found.out, command=command, settings=settings, key=("task", "number"))
        for name in found.tasks:
            build(
                name,
                found.data_dir,
                endpoint,
                lines,
                prompts=found.prompts,
                rows=found.rows,
                recency=why is not None,
                workers=found.workers,
            )
    except GPOError as error:
        say(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
