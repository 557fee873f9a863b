"""GPO from Python: the same run as the command line's, with objects in place of names where wanted.

Every key of the configuration is a keyword here; a callable goes anywhere a model or a metric goes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, Unpack

from gpo import paths
from gpo.config.load import parse_config
from gpo.config.plus import PlusConfig
from gpo.config.schema import MethodConfig
from gpo.errors import ConfigError
from gpo.model.callable import THREADS, CallableModel
from gpo.model.factory import OpenModel
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.optimizer.methods import METHODS, ComposedMethod, Method
from gpo.options import ModelLike, OwnMethod, RunOptions, Settings, spell_out
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.evaluate import Evaluation, evaluate_prompt
from gpo.run.layers.budget import SAVED
from gpo.run.layout import keep_layout
from gpo.run.optimize import Run
from gpo.run.plan import Plan, assemble
from gpo.run.progress import Progress
from gpo.task.task import Task

T = TypeVar("T")

_IN_ERROR = "the best prompt so far is in this error's `result`; with run_dir such a run can go on"


@spell_out(RunOptions)
def optimize(
    task: Task | Mapping[str, Any] | str,
    *,
    models: Mapping[str, ModelLike] | ModelLike,
    **options: Unpack[RunOptions],
) -> Result:
    """Find a better prompt. Works in a script and in a notebook (in a thread of its own where a loop is running).

    `task`: a `Task`, the configuration's `task` section as a mapping, or its `data` alone.
    `models`: both roles as `{"task": …, "optimizer": …}`, or one model for both; a model is a name, a mapping with the
    configuration's keys, or a function of the prompt text (or of `messages`) that returns the reply.
    `prompt`: the prompt to start from ("Let's think step by step.").
    `method`: a name (`gpo.methods()`), the four options as a mapping, or own parts: `gpo.method(…)` ("gpo").
    `run_dir`: keeps the run, so that the same call again goes on where it stopped; without it nothing is kept.
    `data_dir`: the folder with the rows of benchmarks ($GPO_DATA_DIR, else the Hugging Face hub).
    `watcher`, `progress`: are told how the run goes on.
    `optimize`, `evaluation`, `budget`, `preset`, `layout`, `seed`: the configuration's sections of these names.
    Raises `GPOError`; a `BudgetError` has the `result` so far, with the best prompt.
    """
    return _run(aoptimize(task, models=models, **options))


@spell_out(RunOptions)
async def aoptimize(
    task: Task | Mapping[str, Any] | str,
    *,
    models: Mapping[str, ModelLike] | ModelLike,
    **options: Unpack[RunOptions],
) -> Result:
    """`optimize` for a running event loop; the same keywords."""
    given: dict[str, Any] = dict(options)
    run_dir, watcher = given.pop("run_dir", None), given.pop("watcher", None)
    progress = given.pop("progress", None) or Progress()
    plan = _plan(task, models, begun=Path(run_dir) if run_dir else None, **given)
    with TemporaryDirectory(prefix="gpo-") as folder:
        directory = RunDirectory(Path(run_dir) if run_dir else Path(folder) / "run")
        kept = SAVED if run_dir else _IN_ERROR
        return await Run(plan, directory, progress, watcher, kept=kept).execute()


@spell_out(Settings)
def evaluate(
    task: Task | Mapping[str, Any] | str,
    prompt: str,
    *,
    model: ModelLike,
    split: str = "test",
    data_dir: str | Path | None = None,
    **settings: Unpack[Settings],
) -> Evaluation:
    """The score of one prompt on one split, with its interval. Arguments as for `optimize`. Raises `GPOError`."""
    plan = _plan(task, {"task": model, "optimizer": model}, prompt=prompt, data_dir=data_dir, **settings)
    return _run(evaluate_prompt(plan, prompt, split))


def methods() -> dict[str, MethodConfig | PlusConfig]:
    """The methods by name: each as its four parts (paper, Table 4), and `gpo+` as its settings."""
    return {**METHODS, "gpo+": PlusConfig()}


def _plan(
    task: Task | Mapping[str, Any] | str,
    models: Mapping[str, ModelLike] | ModelLike,
    *,
    prompt: str | None = None,
    method: str | Mapping[str, Any] | OwnMethod = "gpo",
    data_dir: str | Path | None = None,
    begun: Path | None = None,
    **settings: Any,
) -> Plan:
    roles = (
        models if isinstance(models, Mapping) and "task" in models else {"task": models, "optimizer": models}
    )
    if callable(roles.get("embedder")):
        raise ConfigError("models.embedder: must be a name or a mapping; a function cannot take its place")
    own = {role: _own_model(role, model) for role, model in roles.items() if callable(model)}
    data: dict[str, Any] = {
        **settings,
        "task": {"data": f"python:{task.name}"} if isinstance(task, Task) else _section(task, "data"),
        "models": {
            role: {"model": own[role].client.identity} if role in own else _section(model, "model")
            for role, model in roles.items()
        },
        "method": "gpo" if isinstance(method, Method | ComposedMethod) else method,
    }
    if prompt is not None:
        data["prompt"] = prompt
    config = parse_config(data, source="gpo.optimize")
    if begun is not None:
        config = keep_layout(config, begun)
    return assemble(
        config,
        base_dir=Path(),
        data_dir=paths.in_home(data_dir) if data_dir else paths.data_dir(),
        task=task if isinstance(task, Task) else None,
        models=own,
        method_object=method if isinstance(method, Method | ComposedMethod) else None,
    )


def _own_model(role: str, function: Callable[..., Any]) -> OpenModel:
    # The name of a function does not pin its answers, so the user's store must not answer for it.
    # Each time that it is asked is a call: a cap on calls counts them all.
    queue = RoleQueue(EndpointLimiter(THREADS), THREADS)
    return OpenModel(
        client=CallableModel(function), queue=queue, retry=None, cost=lambda tokens: None, shareable=False
    )


def _section(value: Any, key: str) -> Any:
    return dict(value) if isinstance(value, Mapping) else {key: value}


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    # A notebook's loop is running in this thread, and asyncio does not nest: use a thread of our own.
    box: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            box.append(asyncio.run(work))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=target, name="gpo")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return box[0]
