"""How large one run of a suite is, before any call: steps, rows, calls and tokens.

Opens no model and fetches nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from gpo.bench.cap import Cap
from gpo.bench.execute import Cell
from gpo.config.schema import Config
from gpo.model.callable import CallableModel
from gpo.model.factory import OpenModel, wrap
from gpo.optimizer.loop import step_count
from gpo.optimizer.methods import Method
from gpo.optimizer.original.fixed import PROMPTS
from gpo.run.estimate import estimate, scoring_rounds
from gpo.run.plan import Plan, assemble
from gpo.task import benchmarks
from gpo.task.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSize:
    """One run; `calls` and `tokens` are of both models, expected, None where they cannot be known beforehand. `search`
    is the part of the calls that an equal budget caps."""

    steps: int | None
    candidates: int | None
    train: int
    dev: int
    test: int
    calls: int | None
    search: int | None
    tokens: int | None


def run_size(cell: Cell, config: Config) -> RunSize:
    """The size of `cell`, whose configuration is `config`. Raises `ConfigError` where its data cannot be read."""
    folder = None if cell.data_dir is None else Path(cell.data_dir)
    name = config.task.data
    if folder is None and isinstance(name, str) and name in benchmarks.names():
        beside = Path(cell.base_dir) / name
        if benchmarks.present(name, None) is None and not beside.exists():
            return _unread(config, cell)
    task = _task(
        config.task.model_dump_json(exclude_unset=True),
        config.seed,
        config.models.task.chat,
        cell.base_dir,
        folder,
    )
    plan = assemble(config, base_dir=Path(cell.base_dir), task=task, models=_no_models())
    rounds = len(scoring_rounds(plan, task.splits.dev[0], False))
    return _capped(_read(plan), Cap(max_calls=cell.max_calls, max_tokens=cell.max_tokens), rounds)


def _unread(config: Config, cell: Cell) -> RunSize:
    """Of a benchmark that is not here yet: its rows are known, its texts are not."""
    found = benchmarks.find(str(config.task.data))
    sizes = dict(found.sizes)
    sizes.update({str(part): rows for part, rows in (config.task.split or {}).items()})
    rounds = config.task.answer.rounds
    if "answer" not in config.task.model_fields_set or "rounds" not in config.task.answer.model_fields_set:
        rounds = found.defaults()["answer"]["rounds"]
    rounds = rounds if config.models.task.chat else 1
    settings = config.optimize
    rows = {"train": sizes["train"], "dev": sizes["dev"], "test": sizes["test"]}
    if isinstance(config.method, str) and config.method in PROMPTS:
        calls = rounds * (rows["dev"] + rows["test"])
        return RunSize(steps=0, candidates=0, **rows, calls=calls, search=0, tokens=None)
    if _is_original(config):
        return RunSize(steps=None, candidates=None, **rows, calls=None, search=None, tokens=None)
    released = config.preset == "released"
    steps = step_count(rows["train"], settings.batch_size, settings.epochs, drop_remainder=released)
    search = rounds * rows["dev"] * (1 + steps * settings.candidates) + steps
    size = RunSize(
        steps=steps,
        candidates=settings.candidates,
        **rows,
        calls=search + rounds * 2 * rows["test"],
        search=search,
        tokens=None,
    )
    return _capped(size, Cap(max_calls=cell.max_calls, max_tokens=cell.max_tokens), rounds)


def _is_original(config: Config) -> bool:
    from gpo.config.originals import ORIGINALS

    if isinstance(config.method, str):
        return config.method in ORIGINALS
    return hasattr(config.method, "name")


def _read(plan: Plan) -> RunSize:
    splits = plan.task.splits
    rows = {"train": len(splits.train), "dev": len(splits.dev), "test": len(splits.test)}
    tested = [scoring_rounds(plan, example, False) for example in splits.test]
    loop = isinstance(plan.method, Method)
    if loop or getattr(plan.method, "prompt", None) is None:
        found = estimate(plan)
        loads = (found.task.expected, found.optimizer.expected)
        calls = sum(load.calls for load in loads)
        return RunSize(
            steps=plan.loop.steps if loop else None,
            candidates=plan.loop.candidates if loop else None,
            **rows,
            calls=calls,
            search=calls - 2 * sum(len(rounds) for rounds in tested),
            tokens=sum(load.prompt_tokens + load.completion_tokens for load in loads),
        )
    scored = [*(scoring_rounds(plan, example, False) for example in splits.dev), *tested]
    return RunSize(
        steps=0,
        candidates=0,
        **rows,
        calls=sum(len(rounds) for rounds in scored),
        search=0,
        tokens=sum(prompt + reply for rounds in scored for prompt, reply in rounds),
    )


def _capped(size: RunSize, cap: Cap, rounds: int) -> RunSize:
    """With as many steps as an equal budget of calls leaves room for, and tokens in proportion."""
    if cap.max_calls is None or not size.calls or not size.search:
        return size
    steps, search = size.steps, min(size.search, cap.max_calls)
    if steps:
        opening = rounds * size.dev
        a_step = (size.search - opening) / steps
        steps = max(0, min(steps, int((cap.max_calls - opening) / a_step)))
        search = opening + round(steps * a_step)
    calls = size.calls - size.search + search
    tokens = None if size.tokens is None else round(size.tokens * calls / size.calls)
    return replace(size, steps=steps, calls=calls, search=search, tokens=tokens)


@lru_cache(maxsize=256)
def _task(section: str, seed: int, chat: bool, base_dir: str, data_dir: Path | None) -> Task:
    from gpo.config.schema import TaskConfig

    config = TaskConfig.model_validate(json.loads(section))
    return Task.from_config(config, seed=seed, chat=chat, base_dir=Path(base_dir), data_dir=data_dir)


def _no_models() -> dict[str, OpenModel]:
    """Stand-ins that are never asked: a plan makes no call and fetches no weights."""

    def never(prompt: str) -> str:
        raise AssertionError("a plan makes no call")

    one = wrap(CallableModel(never), concurrency=1, cost=lambda tokens: None, shareable=False, retry=False)
    return {"task": one, "optimizer": one}
