"""`gpo demo`: a real optimization on embedded models, with a task that GPO brings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def demo(
    seed: Annotated[int, typer.Option(help="Another seed gives another split and another search.")] = 0,
    run_dir: Annotated[
        Optional[Path],
        typer.Option(
            help="Where the run is kept; runs/demo-SEED if not given (with gpo+ runs/demo-plus-SEED)."
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="The search: gpo or gpo+.")] = "gpo",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Route support tickets with a small model on this machine: fetch it, find a better prompt, prove it."""
    from gpo.cli.shared.common import assemble, run_plan
    from gpo.config.load import parse_config
    from gpo.errors import ConfigError
    from gpo.run.layout import keep_layout

    if method not in METHODS:
        raise ConfigError(f"--method {method}: the demo has {' and '.join(METHODS)}")
    directory = run_dir or Path("runs") / f"demo-{'plus-' if method == 'gpo+' else ''}{seed}"
    config = keep_layout(parse_config({**METHODS[method], "seed": seed}), directory)
    run_plan(assemble(config, Path()), directory, as_json=json)


# Sizes by measurement: the optimization ends within minutes on 2 cores and the test split can show its gain.
CONFIG = {
    "task": {"data": "gpo/tickets", "split": {"train": 24, "dev": 24, "test": 80}},
    "prompt": "What is this message about?",
    "models": {
        "task": {"model": "local/qwen2.5-coder-1.5b", "max_tokens": 12},
        "optimizer": {"model": "local/qwen2.5-coder-1.5b", "max_tokens": 120},
    },
    "evaluation": "racing",
    # The start prompt names no label, so that next to none of its replies can be read: that is what gets better.
    "optimize": {"epochs": 1, "batch_size": 8, "candidates": 6, "max_words": 80, "keep_going": True},
}
# Fewer rows of test, and a search of fewer calls: its start library needs no long search to get away from the start.
METHODS = {
    "gpo": CONFIG,
    "gpo+": {
        **{key: value for key, value in CONFIG.items() if key != "evaluation"},
        "task": {"data": "gpo/tickets", "split": {"train": 24, "dev": 24, "test": 60}},
        "method": {"name": "gpo+", "budget": 100},
    },
}
