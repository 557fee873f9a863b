"""`gpo optimize CONFIG`: run an optimization, or go on with one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gpo.paths import CONFIG_FILE

if TYPE_CHECKING:
    from gpo.config.schema import Config
    from gpo.run.watcher import Watcher


def optimize(
    config: Annotated[
        Path, typer.Argument(help="The configuration file (gpo init writes one).")
    ] = CONFIG_FILE,
    run_dir: Annotated[
        Optional[Path],
        typer.Option(
            help="Where the run is kept. If not given: a folder in runs, named after the configuration; a run of "
            "another one gets a folder of its own."
        ),
    ] = None,
    set_: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="KEY.PATH=VALUE", help="Override one key; may be repeated."),
    ] = None,
    preset: Annotated[
        Optional[str],
        typer.Option(
            metavar="paper|released",
            help="How to settle what the paper leaves open: as its text suggests (paper), or as the authors' released "
            "code does it (released). The same as --set preset=….",
        ),
    ] = None,
    data_dir: Annotated[
        Optional[Path],
        typer.Option(
            metavar="DIR", help="Where the rows of benchmarks lie; $GPO_DATA_DIR, else the Hugging Face hub."
        ),
    ] = None,
    fork: Annotated[
        Optional[Path],
        typer.Option(
            metavar="DIR", help="Folder of another run whose answers are used again for the same calls."
        ),
    ] = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Go on where no reply to the initial prompt can be read. The same as --set optimize.keep_going=true.",
        ),
    ] = False,
    few: Annotated[
        Optional[int],
        typer.Option(
            "-n",
            "--rows",
            metavar="ROWS",
            help="A quick look: so many rows of train and dev at most, the held-out test set stays closed.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the first task prompt and the first meta-prompt as they would be sent; no call.",
        ),
    ] = False,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate", help="Print what the run may cost; no call, nothing fetched, no key needed."
        ),
    ] = False,
    track: Annotated[
        Optional[str],
        typer.Option(
            metavar="mlflow|wandb",
            help="Track the run there too, as that tool's own variables say where (docs/integrations.md).",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find a better prompt. The same command again goes on where the last one stopped."""
    from gpo.cli.shared.common import say_next
    from gpo.cli.shared.preview import Preview
    from gpo.cli.shared.tracking import open_tracker
    from gpo.config.load import load_config
    from gpo.config.locate import name_lines
    from gpo.errors import ConfigError
    from gpo.run.layout import keep_layout
    from gpo.run.start.quick_look import check_few

    tracker = None if track is None else open_tracker(track)
    overrides = [*(set_ or ()), *([f"preset={preset}"] if preset else ())]
    overrides += ["optimize.keep_going=true"] if keep_going else []
    check_few(few)
    if estimate and dry_run:
        raise ConfigError("--dry-run: goes without --estimate; run them one after the other")
    loaded = load_config(config, overrides)
    with name_lines(config, overrides):
        if not (estimate or dry_run):
            _run(loaded, config, run_dir, data_dir, fork, few, as_json=json, tracker=tracker)
            return
        loaded = keep_layout(loaded, run_dir, fork) if run_dir else loaded
        preview = Preview("--estimate" if estimate else "--dry-run", loaded, config.parent, data_dir, few)
        if estimate:
            preview.print_estimate(as_json=json)
        else:
            preview.print_first_calls(as_json=json)
    if json:
        return
    named = "" if config == CONFIG_FILE else f" {shlex.quote(str(config))}"
    looks = [f"gpo optimize{named} --dry-run    what it sends first"] if estimate else []
    say_next(*looks, f"gpo optimize{named} -n 20    a quick look at few rows", f"gpo optimize{named}")


def _run(
    loaded: Config,
    path: Path,
    run_dir: Path | None,
    data_dir: Path | None,
    fork: Path | None,
    few: int | None,
    *,
    as_json: bool,
    tracker: Watcher | None,
) -> None:
    """Run `loaded`, read from `path`, in `run_dir` or in the folder that is chosen for it."""
    import sys

    from gpo import paths
    from gpo.cli.shared.common import assemble, run_plan, show_complete
    from gpo.run.identity.recorded_config import record_configured
    from gpo.run.layout import keep_layout
    from gpo.run.start.configured_task import read_task
    from gpo.run.start.default_directory import choose_directory
    from gpo.text import printable

    base_dir, rows = path.parent, data_dir or paths.data_dir()
    folder = run_dir or fork
    asked = keep_layout(loaded, folder, fork) if folder else loaded
    configured = read_task(asked, base_dir, rows, few)
    if run_dir is None:
        free = "layout" not in loaded.model_fields_set
        recorded = record_configured(asked, configured.task, base_dir)
        chosen = choose_directory(path, recorded, any_layout=free, few=few)
        if chosen.told:
            print(printable(chosen.told), file=sys.stderr)
        run_dir = chosen.path
        kept = keep_layout(loaded, run_dir, fork)
        if kept.layout != asked.layout:
            asked, configured = kept, read_task(kept, base_dir, rows, few)
    if not show_complete(asked, configured, base_dir, run_dir, as_json=as_json, tracker=tracker):
        plan = assemble(asked, base_dir, data_dir, few=few, configured=configured)
        run_plan(plan, run_dir, as_json=as_json, fork=fork, tracker=tracker)
