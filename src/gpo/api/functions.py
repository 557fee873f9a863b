"""GPO from Python: the same run as the command line's, with objects in place of names where wanted.

Every key of the configuration is a keyword here; a callable goes anywhere a model or a metric goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Unpack

from gpo.api.background_loop import run_in_background
from gpo.api.from_objects import make_plan
from gpo.api.showing import Display, open_display, ticking
from gpo.api.signatures import spell_out
from gpo.config.plus import PlusConfig
from gpo.config.schema import MethodConfig
from gpo.errors import Interrupted
from gpo.optimizer.methods import METHODS
from gpo.options import EvaluateOptions, ModelLike, RunOptions
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.evaluate import Evaluation, evaluate_prompt
from gpo.run.layers.budget import SAVED
from gpo.run.layers.shutdown import Shutdown
from gpo.run.optimize import Run
from gpo.run.watcher import Watchers
from gpo.task.program.parts import check_parts, join_parts
from gpo.task.task import Task

GRACE = 1.0
"""Seconds that calls under way may still take when the caller is interrupted."""

_IN_ERROR = "the best prompt so far is in this error's `result`; with run_dir such a run can go on"
_GO_ON = "what was answered is kept in {}; the same call again goes on from there"
_GONE = "nothing of this run is kept; with run_dir the same call would go on from here"


@spell_out(RunOptions)
def optimize(
    task: Task | Mapping[str, Any] | str,
    *,
    models: Mapping[str, ModelLike] | ModelLike,
    **options: Unpack[RunOptions],
) -> Result:
    """Find a better prompt, in a script and in a notebook. Beside `await`, use `aoptimize`.

    `task`: a `Task`, the configuration's `task` section as a mapping, or its `data` alone.
    `models`: the roles as `{"task": …, "optimizer": …}` (and "judge", for that metric), or one model for both; a model
    is a name, a mapping with the configuration's keys, or a function of the prompt text (or of `messages`) that returns
    the reply. An async function is called in one event loop for the whole process, so that a client which it uses
    serves any number of runs.
    `prompt`: the prompt to start from ("Let's think step by step."); or `prompts`, several by their names.
    `method`: a name (`gpo.methods()`), the four options as a mapping, or own parts: `gpo.method(…)` ("gpo").
    `run_dir`: keeps the run, so that the same call again goes on where it stopped; without it nothing is kept.
    `data_dir`: the folder with the rows of benchmarks ($GPO_DATA_DIR, else the Hugging Face hub).
    `progress`: True shows a bar, in a terminal and in a notebook; a `gpo.Progress` is kept up to date.
    `watcher`: is told how the run goes on (`gpo.Watcher`); several in a list.
    `optimize`, `evaluation`, `budget`, `preset`, `layout`, `seed`: the configuration's sections of these names.

    Ctrl-C, or the interrupt of a cell, ends all calls within 2 s; what was answered until then is kept in `run_dir`.
    Raises `GPOError`; a `BudgetError` has the `result` so far, with the best prompt.
    """
    with _Optimization(task, models, dict(options)) as work, work.display as display:
        return run_in_background(work.run.execute(), work.stop, display.tick)


@spell_out(RunOptions)
async def aoptimize(
    task: Task | Mapping[str, Any] | str,
    *,
    models: Mapping[str, ModelLike] | ModelLike,
    **options: Unpack[RunOptions],
) -> Result:
    """`optimize` for a running event loop, in which async functions are then called; the same keywords. Cancelling it
    ends the run at once, and with `run_dir` the same call goes on."""
    with _Optimization(task, models, dict(options)) as work, work.display as display:
        async with ticking(display):
            return await work.run.execute()


@spell_out(EvaluateOptions)
def evaluate(
    task: Task | Mapping[str, Any] | str,
    prompt: str | Mapping[str, str],
    *,
    model: ModelLike,
    split: str = "test",
    **options: Unpack[EvaluateOptions],
) -> Evaluation:
    """The score of one prompt, or of several by their names, on one split, with its interval. Beside `await`, use
    `aevaluate`.

    `split`: "train", "dev" or "test". `judge`: the model that grades, for that metric. `model`, and all others: as for
    `optimize`. Raises `GPOError`.
    """
    with _Scoring(task, prompt, model, split, dict(options)) as work, work.display as display:
        return run_in_background(work.execute(), work.stop, display.tick)


@spell_out(EvaluateOptions)
async def aevaluate(
    task: Task | Mapping[str, Any] | str,
    prompt: str | Mapping[str, str],
    *,
    model: ModelLike,
    split: str = "test",
    **options: Unpack[EvaluateOptions],
) -> Evaluation:
    """`evaluate` for a running event loop; the same keywords."""
    with _Scoring(task, prompt, model, split, dict(options)) as work, work.display as display:
        async with ticking(display):
            return await work.execute()


def methods() -> dict[str, MethodConfig | PlusConfig]:
    """The methods by name: each as its four parts (paper, Table 4), and `gpo+` as its settings."""
    return {**METHODS, "gpo+": PlusConfig()}


class _Optimization:
    """One call of `optimize`: its run, and what shows it. A folder of its own is gone when the call is over."""

    def __init__(
        self,
        task: Task | Mapping[str, Any] | str,
        models: Mapping[str, ModelLike] | ModelLike,
        options: dict[str, Any],
    ) -> None:
        run_dir, watcher = options.pop("run_dir", None), options.pop("watcher", None)
        self.display: Display = open_display(options.pop("progress", None))
        self._kept = Path(run_dir) if run_dir else None
        plan = make_plan(task, models, begun=self._kept, **options)
        self._folder = TemporaryDirectory(prefix="gpo-", ignore_cleanup_errors=True)
        directory = RunDirectory(self._kept or Path(self._folder.name) / "run")
        self.run = Run(
            plan,
            directory,
            self.display.progress,
            Watchers(watcher, self.display),
            kept=SAVED if run_dir else _IN_ERROR,
        )

    def stop(self) -> None:
        self.run.stop(grace=GRACE)

    def __enter__(self) -> _Optimization:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._folder.cleanup()
        if isinstance(error, KeyboardInterrupt):
            error.add_note(_GO_ON.format(self._kept) if self._kept else _GONE)


class _Scoring:
    """One call of `evaluate`."""

    def __init__(
        self,
        task: Task | Mapping[str, Any] | str,
        prompt: str | Mapping[str, str],
        model: ModelLike,
        split: str,
        options: dict[str, Any],
    ) -> None:
        self._watcher = options.pop("watcher", None)
        self.display: Display = open_display(options.pop("progress", None))
        self._prompt = prompt if isinstance(prompt, str) else join_parts(check_parts(prompt))
        self._split, self._shutdown = split, Shutdown()
        judge = options.pop("judge", None)
        roles = {"task": model, "optimizer": model, **({} if judge is None else {"judge": judge})}
        given = {"prompt": prompt} if isinstance(prompt, str) else {"prompts": prompt}
        self._plan = make_plan(task, roles, **given, source="gpo.evaluate", **options)

    async def execute(self) -> Evaluation:
        watchers = Watchers(self._watcher, self.display)
        progress = self.display.progress
        return await evaluate_prompt(
            self._plan, self._prompt, self._split, progress, watchers, self._shutdown
        )

    def stop(self) -> None:
        self._shutdown.stop(Interrupted("interrupted; the same call again goes on"), GRACE)

    def __enter__(self) -> _Scoring:
        return self

    def __exit__(self, *_: object) -> None:
        return
