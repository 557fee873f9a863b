"""What the verbs share: running a plan with its progress shown, and printing the result."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gpo.paths import CONFIG_FILE

if TYPE_CHECKING:
    from gpo.config.schema import Config
    from gpo.result.result import Result
    from gpo.run.plan import Plan
    from gpo.run.start.configured_task import ConfiguredTask
    from gpo.run.watcher import Watcher


def assemble(
    config: Config,
    base_dir: Path,
    data_dir: Path | None = None,
    scored: str = "",
    few: int | None = None,
    configured: ConfiguredTask | None = None,
) -> Plan:
    """The run that `config` asks for; weights that are missing are fetched with a progress bar on stderr.

    Benchmarks are read from `data_dir`, or from `$GPO_DATA_DIR` where that is None; `scored`, `few` and `configured` as
    for `plan.assemble`.
    """
    from gpo import paths
    from gpo.cli.shared.pulling import PullDisplay
    from gpo.run import plan

    data_dir = data_dir or paths.data_dir()
    with PullDisplay() as display:
        return plan.assemble(
            config,
            base_dir=base_dir,
            data_dir=data_dir,
            on_pull=display.progress,
            scored=scored,
            few=few,
            configured=configured,
        )


def show_complete(
    config: Config,
    configured: ConfiguredTask,
    base_dir: Path,
    run_dir: Path,
    *,
    as_json: bool,
    tracker: Watcher | None = None,
) -> bool:
    """Show the result of a complete run of `config` in `run_dir` again, and tell `tracker`; False where there is none.
    Raises `RunError` where the folder holds a run of another configuration."""
    from gpo.run.directory import RunDirectory
    from gpo.run.start.complete import find_complete

    result = find_complete(config, configured.task, RunDirectory(run_dir), base_dir)
    if result is None:
        return False
    print(_complete(run_dir), file=sys.stderr)
    if not (run_dir / "report.html").exists():
        _write_page(run_dir)
    if tracker is not None:
        from gpo.cli.shared.tracking import tell_complete

        tell_complete(config, result, run_dir, tracker)
    print_result(result, run_dir, as_json=as_json)
    return True


def _complete(run_dir: Path) -> str:
    from gpo.text import printable

    return printable(f"{run_dir} holds the complete run; nothing is left to do")


def run_plan(
    plan: Plan, run_dir: Path, *, as_json: bool, fork: Path | None = None, tracker: Watcher | None = None
) -> Result:
    """Run `plan` with progress on stderr and the result on stdout; `fork` as for `Run`, `tracker` is told too.

    What a budget or a person ended is shown as far as it is, before the error goes on. Raises `GPOError` and
    `KeyboardInterrupt`.
    """
    from gpo.cli.shared.signals import run_stoppable
    from gpo.errors import BudgetError, Interrupted, Stopped
    from gpo.report.progress.terminal import ProgressDisplay
    from gpo.result.result import Result
    from gpo.run.directory import RunDirectory
    from gpo.run.optimize import Run
    from gpo.run.progress import Progress

    progress = Progress()
    directory = RunDirectory(run_dir)
    complete = directory.check(plan.recorded) == "complete"
    try:
        with ProgressDisplay(progress) as display:
            if complete:
                display.note(_complete(run_dir))
            watchers: list[Watcher] = [display] if tracker is None else [display, tracker]
            run = Run(plan, directory, progress, watchers, fork=fork)
            result = run_stoppable(run.execute(), run.stop, display.note)
    except Stopped as stop:
        if isinstance(stop.result, Result):
            _write_page(run_dir)
            # JSON is for programs: who pressed Ctrl-C means to go on, and the whole result follows then.
            if isinstance(stop, BudgetError) or (isinstance(stop, Interrupted) and not as_json):
                print_result(stop.result, run_dir, as_json=as_json)
        raise
    if not complete or not (run_dir / "report.html").exists():
        _write_page(run_dir)
    print_result(result, run_dir, as_json=as_json)
    return result


def _write_page(run_dir: Path) -> None:
    """Leave `report.html`. A page that cannot be drawn must not hide a result that was paid for."""
    from gpo.errors import GPOError
    from gpo.report.page import write_report
    from gpo.text import printable

    try:
        write_report(run_dir)
    except (GPOError, OSError) as error:
        print(f"gpo: no report.html: {printable(str(error))}", file=sys.stderr)


def print_result(result: Result, run_dir: Path, *, as_json: bool) -> None:
    """The result alone on stdout: JSON, or the essentials for a person."""
    if as_json:
        json.dump(result.to_dict(), sys.stdout, ensure_ascii=True, indent=2)
        print()
        return
    from rich.console import Console

    from gpo.report.terminal import show

    console = Console(highlight=False, soft_wrap=False)
    show(result, console)
    aside = Console(stderr=True, highlight=False)
    for line in saved(run_dir):
        aside.print(line, style="dim", markup=False, soft_wrap=True)


def saved(run_dir: Path) -> list[str]:
    """The files that a run has left, a line each, and how the prompt goes on from here."""
    names = {
        "report": "report.html",
        "prompt": "best_prompt.txt",
        "template": "best_template.json",
        "result": "result.json",
    }
    lines = [f"{what:<8} {run_dir / name}" for what, name in names.items() if (run_dir / name).exists()]
    # A program has no template: its prompts are all that can be handed on.
    others = "promptfoo, inspect, langchain, …" if (run_dir / names["template"]).exists() else "json"
    return [
        *lines,
        f"{'next':<8} gpo export {shlex.quote(str(run_dir))} --to text",
        f"{'':<8} (or {others})",
    ]


def name_config(config: Path) -> str:
    """The argument of a command that is to read `config`, with a space before it; "" where it reads that by itself."""
    return "" if config == CONFIG_FILE else f" {shlex.quote(str(config))}"


def wrap(line: str, indent: int | str = 0) -> str:
    """`line` broken between words at the width of the terminal, 80 where there is none; the lines that follow begin
    `indent` columns in, or with that text. A word that is longer stays whole."""
    import shutil
    import textwrap

    return textwrap.fill(
        line,
        shutil.get_terminal_size().columns,
        subsequent_indent=indent if isinstance(indent, str) else " " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def say_next(*commands: str) -> None:
    """What may be done next, a line each, on stderr: what a command found stays alone on stdout."""
    from gpo.text import printable

    for number, command in enumerate(commands):
        print(printable(f"{'then' if number else 'next':<9}{command}"), file=sys.stderr)
