"""The list of all runs of a folder, newest first: what each found, with what, and what it took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from markupsafe import Markup

from gpo.errors import GPOError
from gpo.report.charts.svg import Scale, draw_path, drawing, element, steps
from gpo.report.comparison.compare import describe_gain
from gpo.report.comparison.compared import sum_costs
from gpo.report.comparison.run_version import run_version
from gpo.report.data import read_run
from gpo.report.sections.head import name_standing
from gpo.report.views import RunView
from gpo.result.wording import format_dollars, format_duration, format_percent
from gpo.run.directory import RunDirectory
from gpo.storage.journal_reader import JournalReader

_WIDTH, _HEIGHT, _EDGE = 90, 22, 2  # of a sparkline


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run. `cells` are text and what it is sorted by, a number or a text, in the order of `COLUMNS`."""

    name: str
    started: float
    running: bool
    cells: tuple[tuple[str, object], ...]
    sparkline: Markup | None


COLUMNS = (
    "verdict",
    "gain on test",
    "best dev",
    "method",
    "model",
    "cost",
    "time",
    "steps",
    "task",
    "started",
)
"""After the name of the run. Those in `NUMERIC` stand on the right."""
NUMERIC = frozenset({"gain on test", "best dev", "cost", "time", "steps"})


@dataclass(frozen=True, slots=True)
class RunList:
    """A row for each run, newest first, and a line for each that cannot be shown. `version` changes with them."""

    rows: tuple[RunRow, ...]
    damaged: tuple[str, ...]

    @property
    def version(self) -> str:
        """A digest of all that is shown."""
        return blake2b(repr((self.rows, self.damaged)).encode(), digest_size=12).hexdigest()


class RunRows:
    """Reads rows, and those of runs that changed alone when it is asked again."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[str, RunRow | str]] = {}
        self._reading = Lock()

    def read(self, found: Mapping[str, Path]) -> RunList:
        """The list of the runs of `found` (name to path)."""
        with self._reading:  # several pages that ask at once read each run once
            read = {path: self._read(name, path) for name, path in found.items()}
            # How long a live run has gone on, and whether its process lives, no file tells.
            self._known = {
                path: (version, row)
                for path, (version, row) in read.items()
                if isinstance(row, str) or not row.running
            }
        rows = [row for _, row in read.values() if isinstance(row, RunRow)]
        rows.sort(key=lambda row: row.started, reverse=True)
        return RunList(tuple(rows), tuple(row for _, row in read.values() if isinstance(row, str)))

    def _read(self, name: str, path: Path) -> tuple[str, RunRow | str]:
        version = run_version(path)
        known = self._known.get(path)
        if known is not None and known[0] == version:
            return known
        try:
            return version, _row(name, path)
        except GPOError as error:
            return version, str(error)
        except Exception as error:  # whatever a stranger's folder brought about, the other runs are shown
            return version, f"{path}: cannot be shown ({type(error).__name__})"


def _row(name: str, path: Path) -> RunRow:
    run = read_run(path)
    with JournalReader(RunDirectory(path).journal_path) as reader:
        _, paid = sum_costs(reader.totals(), run)
    gain = run.result.improvement.test if run.result else None
    started = run.started or 0.0
    model = str(((run.config.get("models") or {}).get("task") or {}).get("model", ""))
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(started)) if started else ""
    done = f"{len(run.steps)} of {run.total}" if run.total else str(len(run.steps))
    return RunRow(
        name=name,
        started=started,
        running=run.status == "running",
        cells=(
            (name_standing(run), name_standing(run)),
            (describe_gain(run), gain),
            (format_percent(run.best_dev), run.best_dev),
            (run.method, run.method),
            (model, model),
            ("unknown" if paid.usd is None else format_dollars(paid.usd), paid.usd),
            (format_duration(run.seconds), run.seconds),
            (done, len(run.steps)),
            (run.task, run.task),
            (when, started),
        ),
        sparkline=_draw_sparkline(run),
    )


def _draw_sparkline(run: RunView) -> Markup | None:
    """The best dev score by step, from the lowest to the highest of this run; None where there is no line to draw."""
    scores = [run.initial_dev, *(step.best_score for step in run.steps)]
    line = [(float(number), score) for number, score in enumerate(scores) if score is not None]
    if len(line) < 2:
        return None
    low, high = min(score for _, score in line), max(score for _, score in line)
    x = Scale(line[0][0], line[-1][0], _EDGE, _WIDTH - _EDGE)
    y = Scale(low, high if high > low else low + 1, _HEIGHT - _EDGE, _EDGE)
    path = element("path", d=draw_path(steps([(x(at), y(score)) for at, score in line])))
    label = f"Best dev score by step, from {format_percent(line[0][1])} to {format_percent(line[-1][1])}"
    return drawing(_WIDTH, _HEIGHT, label, element("g", path, class_="series s0 d0"), class_="spark")
