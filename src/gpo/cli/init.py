"""`gpo init [FILE]`: a configuration made of a data file, or an example with its data; both run as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from gpo.paths import CONFIG_FILE

if TYPE_CHECKING:
    from gpo.cli.shared.asking import Asker
    from gpo.cli.shared.harness import HarnessStart
    from gpo.cli.shared.starter import StarterModels
    from gpo.task.load import Loaded
    from gpo.task.proposal.proposal import Found, Proposal
    from gpo.task.task import Task

_CONFIG = """\
# yaml-language-server: $schema=gpo.schema.json
# A run of GPO: gpo optimize gpo.yaml
task:
  data: tickets.jsonl            # a csv, json, jsonl or parquet file, or a folder with train, dev and test files
  split: {train: 50, dev: 50, test: 200}   # gpo power: how many test rows a gain needs
  input: input                   # a column, or a template such as "{question}\\n{choices}"
  target: target
  answer: {kind: label}          # label | choice | number | boolean | words | text
  position: question_end         # or before_question | question_begin | answer_begin | system
prompt: "Which of these is the message about: account, delivery, feedback, payment, product or refund?"
models:                          # local/NAME (gpo models list), openai/NAME, a .gguf file, or any NAME with a base_url
  task: {model: local/qwen2.5-coder-1.5b, max_tokens: 16}
  optimizer: {model: local/qwen2.5-coder-1.5b}
method: gpo
optimize: {epochs: 1, batch_size: 10, candidates: 8}
seed: 0
"""


def init(
    file: Annotated[
        Optional[Path],
        typer.Argument(
            help="Your data (csv, tsv, jsonl, json, parquet, or a folder of split files), or a task file of "
            "lm-evaluation-harness (yaml); or a folder for an example with its data.",
        ),
    ] = None,
    target: Annotated[
        Optional[str], typer.Option(metavar="COLUMN", help="The column of the right answer.")
    ] = None,
    input_: Annotated[
        Optional[str],
        typer.Option("--input", metavar="COLUMN|TEMPLATE", help='Such as body, or "{subject}\\n{body}".'),
    ] = None,
    data: Annotated[
        Optional[str],
        typer.Option(
            metavar="FILE|FOLDER|hf:NAME", help="The rows of a yaml file, where it does not name them."
        ),
    ] = None,
    model: Annotated[
        Optional[str],
        typer.Option(metavar="NAME", help="The task model: openai/NAME, local/NAME, or any with --base-url."),
    ] = None,
    optimizer_model: Annotated[
        Optional[str], typer.Option(metavar="NAME", help="The optimizer model; the task model if not given.")
    ] = None,
    base_url: Annotated[
        Optional[str], typer.Option(metavar="URL", help="Where the models answer, with /v1.")
    ] = None,
    api_key_env: Annotated[
        Optional[str], typer.Option(metavar="NAME", help="The environment variable that holds the key.")
    ] = None,
    out: Annotated[
        Optional[Path], typer.Option(metavar="DIR", help="Where gpo.yaml is written; here if not given.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Look at a data file and write a gpo.yaml that runs as it is. Without a file: an example with its data. Asks only
    what it cannot see, and overwrites nothing."""
    from gpo.errors import ConfigError
    from gpo.task.proposal.proposal import holds_data, read_data

    if file is None or not holds_data(file):
        flags: dict[str, object] = {
            "--target": target,
            "--input": input_,
            "--data": data,
            "--model": model,
            "--optimizer-model": optimizer_model,
        }
        flags |= {"--base-url": base_url, "--api-key-env": api_key_env, "--out": out}
        if given := [flag for flag, value in flags.items() if value is not None]:
            raise ConfigError(f"{given[0]}: goes with a data file (gpo init FILE)")
        _write_example(file or Path())
        return
    from gpo.cli.shared.asking import Asker
    from gpo.cli.shared.harness import is_harness_file, read_harness

    folder = out or Path()
    _refuse_present(folder / CONFIG_FILE)
    asker, harness = Asker.of_terminal(yes), None
    if is_harness_file(file):
        if flag := "--target" if target is not None else "--input" if input_ is not None else "":
            raise ConfigError(f"{flag}: {file} says itself what is asked and what is right")
        harness = read_harness(file, data, folder)
        _refuse_present(harness.proposal.found.path)
        proposal = harness.proposal
    elif data is not None:
        raise ConfigError("--data: goes with a task file of lm-evaluation-harness (gpo init TASK.yaml)")
    else:
        proposal = _propose(read_data(file), asker, input_, target)
    models = _models(asker, model, optimizer_model, base_url, api_key_env)
    _write(proposal, models, folder, harness)


def _propose(found: Found, asker: Asker, input_: str | None, target: str | None) -> Proposal:
    from gpo.task.proposal import columns
    from gpo.task.proposal.proposal import propose

    rows = found.rows

    def check_target(name: str) -> str:
        return columns.check_target(name, rows)

    def check_input(text: str) -> str:
        return columns.check_input(text, rows)

    answer = (
        check_target(target)
        if target is not None
        else asker.decide(lambda: columns.find_target(rows), check_target, "Column of the right answer")
    )
    question = (
        check_input(input_)
        if input_ is not None
        else asker.decide(
            lambda: columns.find_input(rows, answer), check_input, "Column of the input, or a template"
        )
    )
    return propose(found, question, answer)


def _models(
    asker: Asker,
    model: str | None,
    optimizer_model: str | None,
    base_url: str | None,
    api_key_env: str | None,
) -> StarterModels:
    from gpo.cli.shared.starter import LOCAL, StarterModels
    from gpo.errors import ConfigError

    if model is None and base_url is not None and not asker.asks:
        raise ConfigError("--model: name the model at --base-url (gpo models check says what answers there)")
    task = model or asker.ask("Model (openai/NAME, local/NAME, or any name with --base-url)", LOCAL)
    chosen = StarterModels(
        task=task, optimizer=optimizer_model or task, base_url=base_url, api_key_env=api_key_env
    )
    for flag, name in (("--model", chosen.task), ("--optimizer-model", chosen.optimizer)):
        known = name.startswith(("openai/", "local/")) or name.endswith(".gguf")
        if base_url is None and not known:
            raise ConfigError(
                f"{flag} {name!a}: is not known; write openai/NAME or local/NAME (gpo models list), or give --base-url"
            )
    return chosen


def _write(proposal: Proposal, models: StarterModels, folder: Path, harness: HarnessStart | None) -> None:
    """Check what is to be written, with the rows of `harness` where there is one; write it, and say what was found and
    what comes next."""
    from gpo.cli.shared.common import name_config, say_next
    from gpo.cli.shared.needs import method_lines, starter_method, weights_lines
    from gpo.cli.shared.starter import SCHEMA_FILE, describe, starter_config
    from gpo.config.json_schema import schema_text

    path = folder / CONFIG_FILE
    method = starter_method()
    needs = [*method_lines(method), *weights_lines((models.task, models.optimizer), str(path))]
    text = starter_config(proposal, models, folder, str(path), method)
    rows = proposal.found.path
    task = _check(text, path, harness.loaded if harness else rows)
    new = {path: text, rows: harness.text} if harness else {path: text}
    _write_files(new, {folder / SCHEMA_FILE: schema_text()})
    counts = [len(task.examples(split)) for split in ("train", "dev", "test")]
    _print_lines(describe(proposal, counts))
    notes = [*task.warnings, *(harness.notes if harness else ())]
    _print_lines([f"{'gain':<9}{_needs(counts[2])}", *(f"{'note':<9}{line}" for line in notes)])
    _print_lines([f"{'wrote':<9}{', '.join(map(str, new))}, and {SCHEMA_FILE} for your editor", *needs])
    shown = name_config(path)
    say_next(f"gpo optimize{shown} --estimate    what it will cost", f"gpo optimize{shown}")


def _check(text: str, path: Path, data: Path | Loaded) -> Task:
    """The task that the configuration `text` describes, with the rows of `data`: the folder of `path` may not be there
    yet. Raises what a run would, before anything is written."""
    from gpo.config.load import parse_config, parse_yaml
    from gpo.task.build import build
    from gpo.task.load import Loaded
    from gpo.task.task import Task

    values, lines = parse_yaml(text, str(path))
    config = parse_config(values, source=str(path), lines=lines)
    if isinstance(data, Loaded):
        return build(data, config.task, seed=config.seed, chat=True, base_dir=Path())
    section = config.task.model_copy(update={"data": str(data.resolve())})
    return Task.from_config(section, seed=config.seed)


def _needs(rows: int) -> str:
    """What so many test rows can show, as `gpo power` reckons."""
    from gpo.evaluation.statistics.discordance import assume_discordance
    from gpo.evaluation.statistics.power import rows_needed, smallest_gain

    least = smallest_gain(rows, assume_discordance)
    needed = rows_needed(0.05, assume_discordance(0.05))
    shown = (
        f"{rows:,} test rows show no gain"
        if least is None
        else f"{rows:,} test rows show a gain of {100 * least:.0f} points"
    )
    return f"{shown} with a chance of 80 %; for 5 points it takes {needed:,} (gpo power)"


def _write_example(folder: Path) -> None:
    import json

    from gpo.cli.shared.common import say_next
    from gpo.cli.shared.needs import method_lines, starter_method, weights_lines
    from gpo.cli.shared.starter import LOCAL, SCHEMA_FILE
    from gpo.config.json_schema import schema_text
    from gpo.task.builtin import load

    splits, _ = load("tickets", seed=0, split=None)
    rows: list[Any] = [row for part in splits.values() for row in part]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path, method = folder / CONFIG_FILE, starter_method()
    files = {path: _CONFIG.replace("method: gpo", f"method: {method}"), folder / "tickets.jsonl": lines}
    for new in files:
        _refuse_present(new)
    _write_files(files, {folder / SCHEMA_FILE: schema_text()})
    needs = [*method_lines(method), *weights_lines((LOCAL,), str(path))]
    _print_lines([f"{'wrote':<9}{', '.join(map(str, files))}", *needs])
    say_next(f"gpo optimize {path}")


def _refuse_present(path: Path) -> None:
    from gpo.errors import ConfigError

    if os.path.lexists(path):  # also a link that leads nowhere yet
        raise ConfigError(f"{path} is there already; move it away, or name another folder (--out DIR)")


def _write_files(new: dict[Path, str], made: dict[Path, str]) -> None:
    """Write `new` files, and those that GPO makes itself, whatever stands there."""
    from gpo.errors import ConfigError
    from gpo.storage.atomic_write import write_atomically

    for path, text in {**new, **made}.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None
        # A link of that name, in a folder that came from somebody else, is replaced and not followed.
        write_atomically(path, text.encode("utf-8"))


def _print_lines(lines: list[str]) -> None:
    """On a terminal broken between words; anywhere else a line stays a line."""
    import sys

    from gpo.cli.shared.common import wrap
    from gpo.text import printable

    for line in map(printable, lines):
        print(wrap(line, 9) if sys.stdout.isatty() else line)
