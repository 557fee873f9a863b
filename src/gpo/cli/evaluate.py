"""`gpo evaluate CONFIG --prompt TEXT`: the score of one prompt on one split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def evaluate(
    config: Annotated[Path, typer.Argument(help="The configuration file (gpo init writes one).")],
    prompt: Annotated[str, typer.Option(help="The prompt; @FILE reads it from a file.")],
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    set_: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="KEY.PATH=VALUE", help="Override one key; may be repeated."),
    ] = None,
    data_dir: Annotated[
        Optional[Path],
        typer.Option(
            metavar="DIR", help="Where the rows of benchmarks lie; $GPO_DATA_DIR, else the Hugging Face hub."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the score as JSON.")] = False,
) -> None:
    """Score a prompt, with its 95 % interval."""
    import asyncio
    import json as json_
    import sys

    from gpo.cli.shared.common import assemble
    from gpo.cli.shared.progress import ProgressDisplay
    from gpo.config.load import load_config
    from gpo.config.locate import name_lines
    from gpo.run.evaluate import evaluate_prompt, read_prompt
    from gpo.run.progress import Progress

    text = read_prompt(prompt)
    loaded, progress = load_config(config, set_ or ()), Progress()
    with name_lines(config, set_ or ()):
        prepared = assemble(loaded, config.parent, data_dir, scored=text)
        with ProgressDisplay(progress) as display:
            evaluation = asyncio.run(evaluate_prompt(prepared, text, split, progress, display))
    if json:
        json_.dump(evaluation.to_dict(), sys.stdout, ensure_ascii=True, indent=2)
        print()
        return
    interval = evaluation.interval
    print(
        f"{split}: {100 * interval.mean:.1f} (95 % interval {100 * interval.low:.1f} to {100 * interval.high:.1f}, "
        f"{evaluation.examples} examples, {evaluation.unreadable} unreadable, {evaluation.failed} failed)"
    )
