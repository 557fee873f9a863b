"""How large one run of a suite is, before any call: steps, rows, calls and tokens.

No model is opened and nothing fetched; of rows that are not here at most the number is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from gpo.config.schema import BudgetConfig, Config
from gpo.config.task import AnswerConfig, TaskConfig
from gpo.errors import ConfigError
from gpo.model.factory import OpenModel
from gpo.model.model import Usage
from gpo.model.stand_in import stand_in
from gpo.optimizer.methods import Method
from gpo.optimizer.published.evaluate_only import EvaluateOnly
from gpo.run.estimate.estimate import estimate, scoring_rounds
from gpo.run.plan import Plan, assemble
from gpo.suites.execution.job import Trial
from gpo.suites.execution.meter import Cap
from gpo.suites.spec.row_counts import split_folder
from gpo.task import benchmarks
from gpo.task.answer.text import TextReader
from gpo.task.build import with_defaults
from gpo.task.example import Example, Splits
from gpo.task.metric import metric
from gpo.task.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSize:
    """One run; `calls` and `tokens` are of both models and expected, racing and an equal budget counted in. None is
    what cannot be known beforehand."""

    steps: int | None = None
    candidates: int | None = None
    train: int | None = None
    dev: int | None = None
    test: int | None = None
    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None
    program_runs: int | None = None
    """How often a program is run, whose calls are not known; None where there is none."""


@dataclass(frozen=True, slots=True)
class _Amount:
    """Calls, tokens and dollars; None where texts are not here, dollars also where a price is unknown."""

    calls: int
    tokens: int | None
    usd: float | None

    def __sub__(self, other: _Amount) -> _Amount:
        tokens, usd = _subtract(self.tokens, other.tokens), _subtract(self.usd, other.usd)
        return _Amount(self.calls - other.calls, None if tokens is None else round(tokens), usd)


def _subtract(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right


def run_size(trial: Trial, config: Config) -> RunSize:
    """The size of `trial`, whose configuration is `config`. Raises `ConfigError` where its data cannot be read."""
    # What a run may cost at most stops it and makes it no larger; its prices need not be known here.
    config = config.model_copy(update={"budget": BudgetConfig()})
    cap = Cap(max_calls=trial.max_calls, max_tokens=trial.max_tokens)
    if not _is_here(config.task.data, trial):
        return _outline(config, cap)
    task = _task(
        config.task.model_dump_json(exclude_unset=True),
        config.seed,
        config.models.task.chat,
        trial.base_dir,
        None if trial.data_dir is None else Path(trial.data_dir),
    )
    plan = assemble(config, base_dir=Path(trial.base_dir), task=task, models=_no_models(config))
    return _size(plan, cap, texts=True)


def _is_here(data: object, trial: Trial) -> bool:
    """Whether rows can be read without fetching them."""
    if not isinstance(data, str):
        return True
    if data.startswith("hf:"):
        return False
    if trial.data_dir is not None or data not in benchmarks.list_names():
        return True
    return split_folder(data, Path(trial.base_dir), None) is not None


def _outline(config: Config, cap: Cap) -> RunSize:
    """By numbers of rows alone; all unknown where nobody knows these."""
    section = config.task
    given = {str(part): rows for part, rows in (section.split or {}).items()}
    sizes = {part: rows for part, rows in given.items() if isinstance(rows, int)}
    if str(section.data) in benchmarks.list_names():
        found = benchmarks.find(str(section.data))
        sizes |= {
            part: max(1, round(share * found.sizes.get(part, 0)))
            for part, share in given.items()
            if isinstance(share, float)
        }
        for part, rows in sizes.items():
            if rows > (have := found.sizes.get(part, 0)):
                raise ConfigError(f"task.split.{part}: asks for {rows} rows, but there are {have}")
        section = with_defaults(section, found.defaults())
        sizes = {**found.sizes, **sizes}
    elif section.program or not {"train", "dev", "test"} <= set(sizes):
        return RunSize()
    # A group has many tasks, mostly of one size: what does not matter to it is left out, so that it is found once.
    answer = AnswerConfig(rounds=section.answer.rounds)
    outline = TaskConfig(data="outline", demonstrations=section.demonstrations, answer=answer)
    plain = config.model_copy(update={"task": outline, "seed": 0})
    return _size_by_rows(plain.model_dump_json(exclude_unset=True), tuple(sorted(sizes.items())), cap)


@lru_cache(maxsize=256)
def _size_by_rows(config_text: str, sizes: tuple[tuple[str, int], ...], cap: Cap) -> RunSize:
    """With as many rows as the real task has, all without a text."""
    config = Config.model_validate(json.loads(config_text))
    rows = {part: [Example(f"{part}-{at}", "", "") for at in range(count)] for part, count in sizes}
    task = Task(
        name="outline",
        splits=Splits(**rows),
        answer=TextReader(),
        metric=metric("exact_match"),
        demonstrations=config.task.demonstrations,
        chat=config.models.task.chat,
        rounds=config.task.answer.rounds,
    )
    return _size(assemble(config, base_dir=Path(), task=task, models=_no_models(config)), cap, texts=False)


def _size(plan: Plan, cap: Cap, *, texts: bool) -> RunSize:
    splits = plan.task.splits
    opening, tested = _count_calls(plan, splits.dev, texts), _count_calls(plan, splits.test, texts)
    size = RunSize(train=len(splits.train), dev=len(splits.dev), test=len(splits.test))
    loop = isinstance(plan.method, Method)
    if isinstance(plan.method, EvaluateOnly):
        asked = opening - (_Amount(0, 0, 0.0) - tested)
        return replace(size, steps=0, candidates=0, calls=asked.calls, tokens=asked.tokens, usd=asked.usd)
    found = estimate(plan)
    if loop:
        size = replace(size, steps=plan.loop.steps, candidates=plan.loop.candidates)
    if found.program and not found.program.one_call:
        return replace(size, program_runs=found.program.expected)
    loads = [role.expected for role in found.roles.values()]
    whole = _Amount(
        sum(load.calls for load in loads),
        sum(load.prompt_tokens + load.completion_tokens for load in loads) if texts else None,
        sum(load.usd or 0.0 for load in loads)
        if texts and all(load.usd is not None for load in loads)
        else None,
    )
    size = replace(size, calls=whole.calls, tokens=whole.tokens, usd=whole.usd)
    # The initial and the best prompt are tested, whatever a cap says.
    return _cap_size(size, cap, opening, whole - tested - tested)


def _count_calls(plan: Plan, examples: Iterable[Example], texts: bool) -> _Amount:
    """Of one prompt on `examples`."""
    if plan.task.program:  # of its own work a run is one call, and nobody counts its tokens
        return _Amount(sum(1 for _ in examples), 0 if texts else None, 0.0 if texts else None)
    rounds = [part for example in examples for part in scoring_rounds(plan, example, False)]
    if not texts:
        return _Amount(len(rounds), None, None)
    usage = Usage(
        prompt_tokens=sum(prompt for prompt, _ in rounds), completion_tokens=sum(reply for _, reply in rounds)
    )
    tokens = usage.prompt_tokens + usage.completion_tokens
    return _Amount(len(rounds), tokens, plan.task_model.cost(usage))


def _cap_size(size: RunSize, cap: Cap, opening: _Amount, search: _Amount) -> RunSize:
    """With as many steps as an equal budget leaves room for behind the `opening`, which is the start prompt on dev.
    A protocol whose steps are not known beforehand ends at the cap."""
    if cap.max_calls is not None and cap.max_calls < opening.calls:
        raise ConfigError(
            f"budget: an equal budget of {cap.max_calls:,} calls does not cover scoring the start prompt on dev, which "
            f"takes {opening.calls:,}; raise it"
        )
    shares: list[float] = []
    for limit, before, whole in (
        (cap.max_calls, opening.calls, search.calls),
        (cap.max_tokens, opening.tokens, search.tokens),
    ):
        if limit is None:
            continue
        if before is None or whole is None:
            return replace(size, steps=None, calls=None, tokens=None, usd=None)
        shares.append(_share(size.steps, limit, before, whole))
    share = min(shares, default=1.0)
    if share >= 1 or size.calls is None:
        return size
    steps = None if size.steps is None else round(share * size.steps)
    calls = size.calls - round((1 - share) * (search.calls - opening.calls))
    tokens = size.tokens
    if tokens is not None and search.tokens is not None and opening.tokens is not None:
        tokens -= round((1 - share) * (search.tokens - opening.tokens))
    usd = size.usd
    if usd is not None and search.usd is not None and opening.usd is not None:
        usd -= (1 - share) * (search.usd - opening.usd)
    return replace(size, steps=steps, calls=calls, tokens=tokens, usd=usd)


def _share(steps: int | None, limit: int, before: int, whole: int) -> float:
    """How much of what follows the opening fits: whole steps where they are known."""
    if whole <= limit or whole <= before:
        return 1.0
    room = max(0.0, (limit - before) / (whole - before))
    return int(room * steps + 1e-9) / steps if steps else room


@lru_cache(maxsize=256)
def _task(section: str, seed: int, chat: bool, base_dir: str, data_dir: Path | None) -> Task:
    config = TaskConfig.model_validate(json.loads(section))
    return Task.from_config(config, seed=seed, chat=chat, base_dir=Path(base_dir), data_dir=data_dir)


def _no_models(config: Config) -> dict[str, OpenModel]:
    """A plan makes no call and fetches no weights."""
    return {role: stand_in(settings) for role, settings in config.models.all_roles().items()}
