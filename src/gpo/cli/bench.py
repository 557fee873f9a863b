"""`gpo bench SUITE`: the paper's tables and figures, and own suites, run as far as they are not yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from gpo.suites.execution.job import Executor, TrialResult
    from gpo.suites.spec.grid import Grid
    from gpo.suites.spec.suite import Suite


def bench(
    suite: Annotated[
        str,
        typer.Argument(
            help="table2, table3, table5, table6, table7, figure1, figure3, or a suite's YAML file."
        ),
    ],
    out: Annotated[
        Optional[Path],
        typer.Option(
            help="Folder of the runs and the table; suites may share one. runs/bench/SUITE if not given."
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print how many calls and tokens the suite takes; make no call.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    ray: Annotated[
        Optional[str],
        typer.Option(metavar="auto|ADDRESS", help="Run on Ray: auto finds a cluster, local starts one here."),
    ] = None,
    only: Annotated[
        Optional[str],
        typer.Option(metavar="PATTERN", help="Only the runs whose folder fits, such as wsc-gpo-*."),
    ] = None,
    data_dir: Annotated[
        Optional[Path], typer.Option(help="Folder of the benchmarks' rows; they are fetched if not given.")
    ] = None,
    set_: Annotated[
        Optional[list[str]],
        typer.Option(
            "--set", metavar="KEY.PATH=VALUE", help="Override one key of the suite; may be repeated."
        ),
    ] = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Go on where no reply to the initial prompt can be read. The same as --set "
            "base.optimize.keep_going=true.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Run a suite and print its table. The same command again goes on where the last one stopped."""
    from gpo import paths
    from gpo.suites.spec.grid import expand
    from gpo.suites.spec.suite import load_suite

    overrides = [*(set_ or ()), *(["base.optimize.keep_going=true"] if keep_going else ())]
    loaded = load_suite(suite, overrides)
    trials = expand(loaded, data_dir or paths.data_dir())
    if plan:
        _plan(loaded, trials, only, as_json=json)
    else:
        folder = out or Path("runs") / "bench" / loaded.name
        _run(loaded, trials, folder, _build_executor(folder, workers, ray), only, as_json=json)


def _plan(suite: Suite, trials: Grid, only: str | None, *, as_json: bool) -> None:
    import json
    import shutil
    import sys

    from gpo.cli.shared.common import say_next, wrap
    from gpo.suites.execution.runner import narrow
    from gpo.suites.forecast.forecast import lines, plan

    planned = plan(suite, narrow(trials, only))
    if as_json:
        json.dump(planned.to_dict(), sys.stdout, indent=2)
        print()
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines(planned, width):
        print(line if width is None else wrap(line, indent=2))
    say_next("the same command without --plan runs it")


def _run(
    suite: Suite, trials: Grid, out: Path, executor: Executor, only: str | None, *, as_json: bool
) -> None:
    import json
    import sys

    from rich.console import Console

    from gpo.cli.shared.common import say_next
    from gpo.errors import Interrupted
    from gpo.suites.execution.runner import run_trials
    from gpo.suites.tables.output_files import make_room
    from gpo.suites.tables.report import report, show, to_dict
    from gpo.text import printable

    stopped: Interrupted | None = None
    failed: dict[str, str] = {}
    try:
        run_trials(trials, out, executor, only=only, told=_print_trials(failed))
    except Interrupted as error:
        stopped = error
    for line in make_room(out, suite.name, figure=suite.config.figure is not None):
        print(printable(line), file=sys.stderr)
    reported = set(failed)
    table = report(suite.config, trials, out, failed)
    if as_json:
        # What the runs did not tell themselves: `show` says it with the table.
        for name in [name for name in failed if name not in reported]:
            print(printable(f"failed: {name}: {failed[name]}"), file=sys.stderr)
        json.dump(to_dict(table, failed), sys.stdout, indent=2)
        print()
    else:
        # Into a file or a pipe the table goes whole, however wide it is.
        width = None if sys.stdout.isatty() else 10_000
        show(table, failed, out, Console(highlight=False, width=width))
        say_next(f"gpo view {out}    every run in the browser")
    if stopped:
        raise stopped
    if failed:
        raise typer.Exit(1)


def _print_trials(failed: dict[str, str]) -> Callable[[TrialResult, int, int], None]:
    """One line a run on stderr; collects what failed."""
    import sys

    from gpo.cli.shared.common import wrap
    from gpo.text import printable

    def print_trial(result: TrialResult, number: int, planned: int) -> None:
        if result.status == "failed":
            failed[result.run_dir] = result.reason
        ended = {"budget": "stopped by its budget"}.get(result.status, result.status)
        reason = f": {result.reason}" if result.reason else ""
        line = f"[{number}/{planned}] {result.run_dir} {ended} after {result.seconds:.0f} s{reason}"
        line = printable(line)
        print(wrap(line, indent=2) if sys.stderr.isatty() else line, file=sys.stderr, flush=True)

    return print_trial


def _build_executor(out: Path, workers: int, ray: str | None) -> Executor:
    from gpo.errors import ConfigError

    if ray is not None:
        if workers != 1:
            raise ConfigError(
                "--workers: the processes of this machine are not used with --ray; leave one out"
            )
        from gpo.suites.execution.ray_pool import RayExecutor

        return RayExecutor(address=ray, out=out)
    from gpo.suites.execution.pool import InProcessExecutor, PoolExecutor

    return InProcessExecutor(out) if workers == 1 else PoolExecutor(out, workers)
