"""What a run needs, ready to go: data read, models named, method resolved. Nothing is sent and nothing written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gpo.config.load import dump_config
from gpo.config.schema import BudgetConfig, Config, MethodConfig, OptimizeConfig
from gpo.evaluation.rounds import ScorerSettings
from gpo.extras import require
from gpo.model.address import is_embedded
from gpo.model.endpoints import Endpoints
from gpo.model.factory import OpenModel, PullProgress, RoleName, open_model
from gpo.optimizer.calls import Calls, Sizes
from gpo.optimizer.candidates import Guard
from gpo.optimizer.choose import AnyMethod, choose, count_method_calls, open_search
from gpo.optimizer.loop import LoopSettings, count_steps
from gpo.optimizer.metaprompt import MetaPromptSettings
from gpo.optimizer.methods import ComposedMethod, Method, Preset, compose_own, score_scale
from gpo.optimizer.plus.method import PlusMethod
from gpo.optimizer.published.evaluate_only import EvaluateOnly
from gpo.optimizer.search import Listener, Search
from gpo.optimizer.workbench import Workbench
from gpo.run.compose import RoleModel
from gpo.run.estimate.context_size import engine_needs
from gpo.run.estimate.prompt_room import make_room
from gpo.run.identity.recorded_config import record_config, set_frame
from gpo.run.layers.budget import check_prices
from gpo.run.programs.own_work import open_own_work
from gpo.run.start.choices import (
    check_frozen,
    check_method,
    check_rows_tell,
    choose_prompt,
    choose_racing,
    choose_roles,
    name_parts,
)
from gpo.run.start.configured_task import ConfiguredTask, read_task
from gpo.task.demonstrations import split_named
from gpo.task.program.parts import split_parts
from gpo.task.prompt import find_placeholders
from gpo.task.task import Task

BuildSearch = Callable[
    ["Plan", Mapping[RoleName, RoleModel], Workbench, Listener | None],
    Search,
]
"""A new search from a plan, its models by role (which `Workbench` uses), the workbench and who listens."""


def build_search(
    plan: Plan, models: Mapping[RoleName, RoleModel], bench: Workbench, listener: Listener | None
) -> Search:
    """A search by the plan's method."""
    return open_search(plan.method, bench, plan.guard, plan.loop, listener)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run; running it leaves it as it is. `recorded` identifies it (resolved configuration and a digest of the
    data, JSON values); `config_text` is what `config.yaml` says; `search` opens its search; `warnings` are lines for a
    person."""

    task: Task
    prompt: str
    method: AnyMethod
    task_model: OpenModel
    optimizer_model: OpenModel
    judge_model: OpenModel | None = None
    embedder_model: OpenModel | None = None
    scorer: ScorerSettings
    temperature: float
    max_tokens: int
    optimize: OptimizeConfig
    preset: Preset
    layout: int = 2
    racing: bool = False
    budget: BudgetConfig
    seed: int
    recorded: Mapping[str, Any]
    config_text: str
    base_dir: Path
    search: BuildSearch = build_search
    tries_optimizer: bool = True
    warnings: tuple[str, ...] = ()

    @property
    def models(self) -> dict[RoleName, OpenModel]:
        """The models by role."""
        found: dict[RoleName, OpenModel | None] = {
            "task": self.task_model,
            "optimizer": self.optimizer_model,
            "judge": self.judge_model,
            "embedder": self.embedder_model,
        }
        return {role: model for role, model in found.items() if model is not None}

    async def aclose(self) -> None:
        """Close the models, each once."""
        for client in {id(opened.client): opened.client for opened in self.models.values()}.values():
            await client.aclose()

    @property
    def guard(self) -> Guard:
        """What the configuration and the data ask of every candidate."""
        task = self.task
        rows = [
            f"{example.input} {task.target_text(example)}"
            for name in ("train", "dev", "format", "demos")
            for example in task.examples(name)
        ]
        words, _ = split_named(self.prompt, task.parts)
        whole = Guard(
            examples=rows,
            required=find_placeholders(words),
            answers=task.answer_texts,
            initial=words,
            max_words=self.optimize.max_words,
            # No other column: one may say what the answer is (`label_text` beside `label`). A program fills what it
            # fills, and nobody knows what else it could.
            columns=frozenset() if task.program else frozenset({*task.input_columns, "input"}),
            frozen=self.optimize.frozen,
        )
        if len(task.parts) < 2:
            return whole
        texts = split_parts(words, task.parts)
        return replace(whole, parts={name: self._part_guard(whole, text) for name, text in texts.items()})

    def _part_guard(self, whole: Guard, text: str) -> Guard:
        return replace(
            whole,
            required=find_placeholders(text),
            initial=text,
            frozen=[kept for kept in whole.frozen if kept in text],
            marks=True,
        )

    def calls(self, *, most: bool) -> Calls:
        """What the search may ask for: at most, or as expected."""
        sizes = _sizes(self.task, self.optimize, self.max_tokens, most=most)
        return count_method_calls(self.method, self.loop, sizes)

    @property
    def loop(self) -> LoopSettings:
        """Steps and candidates as the configuration and the size of train say."""
        return _loop_settings(self.task, self.optimize, self.preset, racing=self.racing)


def _loop_settings(task: Task, settings: OptimizeConfig, preset: Preset, *, racing: bool) -> LoopSettings:
    released = preset == "released"
    return LoopSettings(
        steps=count_steps(
            len(task.splits.train), settings.batch_size, settings.epochs, drop_remainder=released
        ),
        candidates=settings.candidates,
        resamples=settings.resamples,
        patience=settings.patience,
        enforce=settings.edit_distance.control == "enforce",
        racing=racing,
        coordinate=settings.coordinate,
        meta_prompt=MetaPromptSettings(
            task_examples=settings.task_examples,
            scale=score_scale(preset),
            frozen=settings.frozen,
        ),
    )


def assemble(
    config: Config,
    *,
    base_dir: Path,
    data_dir: Path | None = None,
    task: Task | None = None,
    configured: ConfiguredTask | None = None,
    models: Mapping[str, OpenModel] | None = None,
    method_object: Method | ComposedMethod | None = None,
    on_pull: PullProgress | None = None,
    scored: str = "",
    few: int | None = None,
) -> Plan:
    """Read the data, then open the models (no call is made, no engine started; weights are fetched where needed).

    `base_dir` is the folder that relative paths of the configuration start from, `data_dir` the one with the rows of
    benchmarks; neither becomes part of what is recorded, so that the same rows make the same run. `task`, `models`
    (by role) and `method_object` take the place of what the configuration names; `configured` is what `read_task` found
    of it already. An embedded engine is made large enough for the prompt `scored` too. With `few` the search has at
    most so many rows of train and dev, and no test rows. Raises `ConfigError` and `ModelError`.
    """
    chosen: AnyMethod
    if method_object is None and isinstance(config.method, MethodConfig):
        method_object = compose_own(config.method, base_dir)
    if method_object is None:
        chosen = choose(config.method, config.optimize, config.preset, config.layout)
    elif isinstance(method_object, ComposedMethod):
        chosen = method_object.build(config.optimize, config.preset, config.layout)
    else:
        chosen = method_object
    own_task = task
    configured = configured or (ConfiguredTask(set_frame(task, config)) if task else None)
    task, quick = configured or read_task(config, base_dir, data_dir, few)
    task = name_parts(config, task)
    check_method(chosen, task)
    if task.metric.over_split is not None:
        require("numpy", "metrics", f"task.metric: {task.metric.name}, a score of the whole split,")
    if isinstance(chosen, PlusMethod):
        chosen = chosen.fit_task(task)
        require("numpy", "plus", "method: gpo+")
        check_rows_tell(task)
        chosen = chosen.fit_budget(task, config.budget.max_calls, test=len(task.splits.test))
    own = dict(models or {})
    if task.program and task.program.identity and "task" not in own:
        own["task"] = open_own_work(task)
    written, prompt = config, choose_prompt(config, chosen)
    config, raised = _roomy(config, chosen, prompt)
    roles = choose_roles(config, task)
    endpoints = Endpoints(settings for role, settings in roles if role not in own)
    racing = choose_racing(config, chosen)
    longest = max(prompt, scored, key=len)
    # Only an engine asks how long requests are: to find out takes a look at every row.
    embedded = any(is_embedded(settings) for role, settings in roles if role not in own)
    asked = _count_calls(config, task, chosen, racing=racing)
    needs = engine_needs(config, task, longest, asked) if embedded else {}
    opened = {
        role: own.get(role)
        or open_model(
            settings,
            role=role,
            base_dir=base_dir,
            on_pull=on_pull,
            endpoints=endpoints,
            needs=needs.get(role),
        )
        for role, settings in roles
    }
    check_frozen(prompt, config.optimize.frozen)
    check_prices(config.budget, {role: model.cost for role, model in opened.items()})
    return Plan(
        task=task,
        prompt=prompt,
        method=chosen,
        task_model=opened["task"],
        optimizer_model=opened["optimizer"],
        judge_model=opened.get("judge"),
        embedder_model=opened.get("embedder"),
        scorer=scorer_settings(config, task),
        temperature=config.models.optimizer.temperature,
        max_tokens=config.models.optimizer.max_tokens,
        optimize=config.optimize,
        preset=config.preset,
        layout=config.layout,
        racing=racing,
        budget=config.budget,
        seed=config.seed,
        recorded=record_config(written, task, method_object, base_dir, own_task=own_task is not None),
        config_text=dump_config(written),
        base_dir=base_dir,
        warnings=tuple(line for line in (quick, raised) if line),
    )


def _roomy(config: Config, chosen: AnyMethod, prompt: str) -> tuple[Config, str]:
    """`config` with room for candidates like `prompt`, see `make_room`. A run of GPO 0.1.0 goes on as it began."""
    if config.layout == 1 or isinstance(chosen, EvaluateOnly):
        return config, ""
    return make_room(config, prompt)


def _count_calls(config: Config, task: Task, chosen: AnyMethod, *, racing: bool) -> Calls:
    sizes = _sizes(task, config.optimize, config.models.optimizer.max_tokens)
    settings = _loop_settings(task, config.optimize, config.preset, racing=racing)
    return count_method_calls(chosen, settings, sizes)


def _sizes(task: Task, settings: OptimizeConfig, max_tokens: int, *, most: bool = True) -> Sizes:
    train, dev = len(task.splits.train), len(task.splits.dev)
    return Sizes(train=train, dev=dev, max_tokens=max_tokens, k=settings.k, most=most)


def scorer_settings(config: Config, task: Task) -> ScorerSettings:
    """How the task model is called under `config` for `task`, whose benchmark may bring defaults of its own."""
    return ScorerSettings(
        temperature=config.models.task.temperature,
        max_tokens=config.models.task.max_tokens,
        second_round_tokens=task.second_round_tokens,
        judge_tokens=config.models.judge.max_tokens if config.models.judge else 512,
        seed=config.seed,
    )
