"""`gpo evaluate CONFIG [--prompt TEXT]`: the score of one prompt on one split."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gpo.paths import CONFIG_FILE
from gpo.text import points

if TYPE_CHECKING:
    from gpo.evaluation.statistics import Comparison
    from gpo.run.evaluate import Evaluation


def evaluate(
    prompt: Annotated[
        Optional[str],
        typer.Option(
            metavar="PROMPT", help="@FILE reads it from a file; the configuration's own if not given."
        ),
    ] = None,
    config: Annotated[
        Path, typer.Argument(help="The configuration file (gpo init writes one).")
    ] = CONFIG_FILE,
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
    few: Annotated[
        Optional[int],
        typer.Option("-n", "--rows", metavar="ROWS", help="A quick look: so many rows of the split at most."),
    ] = None,
    fail_under: Annotated[
        Optional[float],
        typer.Option(metavar="SCORE", help="Exit with 1 where the score, from 0 to 1, is lower: for CI."),
    ] = None,
    not_worse_than: Annotated[
        Optional[str],
        typer.Option(
            metavar="PROMPT",
            help="Exit with 1 where this prompt (or @FILE) is shown to be better, row by row.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the score as JSON.")] = False,
) -> None:
    """Score a prompt, with its 95 % interval."""
    import asyncio

    from gpo.cli.shared.checks import check_not_worse, check_score, check_threshold
    from gpo.cli.shared.common import assemble, say_next
    from gpo.config.load import load_config
    from gpo.config.locate import name_lines
    from gpo.report.progress.terminal import ProgressDisplay
    from gpo.run.evaluate import check_parts_given, compare_evaluations, evaluate_prompts, read_prompt
    from gpo.run.progress import Progress
    from gpo.run.start.quick_look import check_few, take_few_of

    check_threshold(fail_under)
    check_few(few)
    options = {"--prompt": prompt, "--not-worse-than": not_worse_than}
    given = {option: read_prompt(text, option) for option, text in options.items() if text is not None}
    loaded, progress = load_config(config, set_ or ()), Progress()
    with name_lines(config, set_ or ()):
        prepared = assemble(loaded, config.parent, data_dir, scored=max(given.values(), key=len, default=""))
        for option, text in given.items():
            check_parts_given(text, prepared.task.parts, option)
        prompts = list({"--prompt": prepared.prompt, **given}.values())
        with ProgressDisplay(progress) as display:
            if few is not None:
                task, told = take_few_of(prepared.task, split, few, loaded.seed)
                prepared = replace(prepared, task=task)
                display.note(told)
            found = asyncio.run(evaluate_prompts(prepared, prompts, split, progress, display))
    difference = compare_evaluations(found[1], found[0], seed=loaded.seed) if len(found) > 1 else None
    _print(found[0], difference, as_json=json)
    if not json:
        named = "" if config == CONFIG_FILE else f" {shlex.quote(str(config))}"
        say_next(f"gpo optimize{named}    find a better prompt")
    if fail_under is not None:
        check_score(found[0], fail_under)
    if difference is not None:
        check_not_worse(difference)


def _print(evaluation: Evaluation, difference: Comparison | None, *, as_json: bool) -> None:
    """The score, and the difference to the other prompt, on stdout."""
    import json
    import sys

    from gpo.cli.shared.checks import difference_line
    from gpo.evaluation.agreement import describe_agreement

    if as_json:
        other = (
            {}
            if difference is None
            else {"difference": {**asdict(difference), "verdict": difference.verdict}}
        )
        json.dump({**evaluation.to_dict(), **other}, sys.stdout, ensure_ascii=True, indent=2)
        print()
        return
    interval = evaluation.interval
    print(
        f"{evaluation.split}: {points(interval.mean)} (95 % interval {points(interval.low)} to "
        f"{points(interval.high)}, {evaluation.examples} examples, {evaluation.unreadable} unreadable, "
        f"{evaluation.failed} failed)"
    )
    if evaluation.agreement and (line := describe_agreement(evaluation.agreement.to_dict())):
        print(line)
    if difference is not None:
        print(difference_line(difference))
