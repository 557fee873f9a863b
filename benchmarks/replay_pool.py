"""A pool of prompts from all optimizers, each scored once on the same rows: what allocation rules are replayed on.

    python -m benchmarks.replay_pool DATA_DIR OUT.jsonl --tasks tickets wsc … [--prompts 48] [--rows 100]
        [--model local/NAME] [--threads 1] [--minutes M] [--base-url URL]

The fixed prompts, and what gpo, ape, opro, pe2, apo and gpo+ propose in short runs on rows of train and dev, taken in
turns and each text once. Half of the rows are those of search, the others held out. Runs lie in OUT.jsonl.runs; a
command that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.proof.deadline import Deadline, add_minutes
from benchmarks.proof.endpoint import add_arguments, from_arguments
from benchmarks.proof.estimate import announce
from benchmarks.proof.lines import Lines
from benchmarks.proof.own import no_embedder
from benchmarks.proof.pool import build, prepare
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
    add_minutes(parser)
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
        made = [prepare(name, found.data_dir, prompts=found.prompts, rows=found.rows) for name in found.tasks]
        tokens = {item.name: endpoint.for_task(item.name).max_tokens or 0 for item in made}
        announce([item.work(lines, tokens[item.name]) for item in made], endpoint, found.threads)
        deadline = Deadline(found.minutes)
        for item in made:
            build(
                item,
                endpoint.for_task(item.name),
                lines,
                recency=why is not None,
                workers=found.workers,
                deadline=deadline,
            )
    except GPOError as error:
        say(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
