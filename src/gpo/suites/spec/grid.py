"""From a suite to its trials: one resolved configuration a run, and the place in the table that its score belongs to.

Two places may share a run: a task in two groups, a fixed prompt beside two optimizer models.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from gpo.config.load import parse_config
from gpo.config.masking import mask_config
from gpo.config.schema import Config
from gpo.run.identity.config_diff import HARMLESS
from gpo.suites.execution.job import Trial
from gpo.suites.spec import methods as methods_
from gpo.suites.spec import tasks as tasks_
from gpo.suites.spec.checks import at, check_labels, check_program, refuse_own
from gpo.suites.spec.input_hash import hash_inputs, own_parts
from gpo.suites.spec.overlay import Composed
from gpo.suites.spec.row_counts import limit_counts
from gpo.suites.spec.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSlot:
    """Where in the table a run stands: one label a dimension of the suite; `member` is the task within the entry."""

    labels: Mapping[str, str] = field(hash=False)
    member: str
    seed: int
    run_dir: str
    evaluates_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """All places of a suite in its order, and the runs that they need, each once."""

    slots: tuple[TableSlot, ...]
    trials: tuple[Trial, ...]
    configs: Mapping[str, Config] = field(hash=False)
    """By run directory."""
    notes: tuple[str, ...] = ()
    """What a person must know beside the plan and the table: groups of which not every task is there."""


def expand(suite: Suite, data_dir: Path | None = None) -> Grid:
    """Every combination that `suite` asks for; the rows of benchmarks lie in `data_dir` where it is given.

    Raises `ConfigError` naming the line of what does not fit.
    """
    slots: list[TableSlot] = []
    trials: dict[str, Trial] = {}
    configs: dict[str, Config] = {}
    budget = suite.config.budget
    digests: dict[str, str] = {}
    tasks = tasks_.expand_tasks(suite.config.tasks, at(suite, "tasks"), data_dir)
    for labels, member, method, seed, composed in _combinations(suite, tasks, data_dir):
        config = parse_config(composed.data, source=suite.source, lines=composed.lines)
        check_program(suite, config, method)
        fixed = method.evaluates_only
        capped = budget.equal and not fixed
        cap = {"max_calls": budget.max_calls, "max_tokens": budget.max_tokens} if capped else {}
        task = config.task
        named = [task.data, task.metric, task.program, config.optimize.meta_prompt, own_parts(config)]
        key = json.dumps(named, sort_keys=True)
        if key not in digests:
            digests[key] = hash_inputs(config, suite.base_dir, data_dir)
        run_dir = directory_name(
            config, member.name, method, cap, digests[key], _own_budget(suite, labels["setting"], config)
        )
        trials.setdefault(
            run_dir,
            Trial(
                slug=run_dir,
                config=config.model_dump(mode="json", exclude_unset=True),
                run_dir=run_dir,
                base_dir=str(suite.base_dir),
                data_dir=None if data_dir is None else str(data_dir.resolve()),
                max_calls=cap.get("max_calls"),
                max_tokens=cap.get("max_tokens"),
            ),
        )
        configs.setdefault(run_dir, config)
        slots.append(
            TableSlot(labels=labels, member=member.name, seed=seed, run_dir=run_dir, evaluates_only=fixed)
        )
    notes = [note for entry in tasks if (note := entry.cut(data_dir))] + check_labels(
        suite, [slot.labels for slot in slots]
    )
    return Grid(slots=tuple(slots), trials=tuple(trials.values()), configs=configs, notes=tuple(notes))


def directory_name(
    config: Config,
    task: str,
    method: methods_.MethodEntry,
    cap: Mapping[str, int | None],
    inputs: str,
    budget: Mapping[str, Any],
) -> str:
    """A readable part and a hash of all that can change the result. Keys that are not written are not hashed, so that a
    key that a later GPO adds renames nothing; neither is what cannot matter (concurrency, prices, passwords in
    addresses), nor the budget, so that a run goes on under a raised one. Where settings differ in it, each has its own:
    that is `budget`."""
    plain = mask_config(config.model_dump(mode="json", exclude_unset=True))
    for pattern in HARMLESS:
        _drop(plain, pattern)
    parts = [plain, {k: v for k, v in cap.items() if v}, inputs, *([dict(budget)] if budget else [])]
    told = json.dumps(parts, sort_keys=True)
    model = config.models.task.model.rsplit("/", 1)[-1]
    readable = "-".join(_slug(part) for part in (task.split("/")[-1], method.name, model))[:80].strip("-.")
    return f"{readable}-s{config.seed}-{hashlib.blake2b(told.encode(), digest_size=5).hexdigest()}"


def _combinations(
    suite: Suite, tasks: Sequence[tasks_.TaskEntry], data_dir: Path | None
) -> Iterator[tuple[dict[str, str], tasks_.Member, methods_.MethodEntry, int, Composed]]:
    """Task by task, so that runs that share calls stand close to each other."""
    config, lines = suite.config, suite.lines
    methods = methods_.expand_methods(config.methods, at(suite, "methods"))
    models = config.models
    settings: Iterable[str] = config.settings or ("",)
    base = Composed().add(config.base, lines, ("base",))
    refuse_own(suite, base, ("base",))
    for name in config.settings:
        refuse_own(
            suite, Composed().add(config.settings[name], lines, ("settings", name)), ("settings", name)
        )
    hard = {} if config.budget.equal else config.budget.model_dump(exclude={"equal"}, exclude_none=True)
    for entry in tasks:
        for member, seed, (name, pair), setting, method in product(
            entry.members, config.seeds, models.items(), settings, methods
        ):
            if setting and pair.settings is not None and setting not in pair.settings:
                continue
            labels = {
                "task": entry.label,
                "model": name,
                "setting": setting,
                "method": method.label,
                **{part: method.parts.get(part, "") for part in methods_.PARTS},
            }
            composed = base.add({"task": member.section}, lines, ("tasks",))
            caps = _take_lower(config.split.model_dump(exclude_none=True), member.section.get("split"))
            if caps := limit_counts(caps, member.section.get("data"), suite.base_dir, data_dir):
                composed = composed.add({"task": {"split": caps}}, lines, ("split",), cut=2)
            if member.start:
                composed = composed.without("prompt", "prompts").add(member.start, lines, ("tasks",))
                # As they are: a dot in the name of a prompt is no nested key.
                composed = Composed({**composed.data, **member.start}, composed.lines)
            roles = {"task": pair.task, "optimizer": pair.optimizer or _use_in_both_roles(pair.task)}
            composed = composed.add(
                {"models": {role: own for role, own in roles.items() if own}}, lines, ("models", name), cut=1
            )
            if hard:
                composed = composed.add({"budget": hard}, lines, ("budget",), cut=1)
            if setting:
                composed = composed.add(config.settings[setting], lines, ("settings", setting))
            composed = composed.add({"method": method.value, "seed": seed}, lines, ("methods",))
            if method.chooses_itself:
                composed = composed.without("evaluation")
            if method.evaluates_only:
                composed = _strip_unused(composed)
            yield labels, member, method, seed, composed


def _take_lower(caps: dict[str, int | float], own: Any) -> dict[str, int | float]:
    """`caps`, none above what the task itself says. A count and a share cannot be compared: then the cap holds."""
    less = own if isinstance(own, dict) else {}
    return {
        key: min(cap, less[key]) if type(less.get(key)) is type(cap) else cap for key, cap in caps.items()
    }


def _own_budget(suite: Suite, setting: str, config: Config) -> dict[str, Any]:
    """What the keys of `budget` that the setting names come to in `config`."""
    named = Composed().add(suite.config.settings.get(setting, {}), {}, ()).data.get("budget")
    if not isinstance(named, dict):
        return {}
    whole = config.budget.model_dump(mode="json")
    written = config.budget.model_fields_set
    return {key: whole[key] for key in sorted(named) if key in written}


def _use_in_both_roles(task: Mapping[str, Any]) -> dict[str, Any]:
    """The task model as the optimizer: how it answers questions is not how it samples prompts."""
    return {key: value for key, value in task.items() if key not in ("temperature", "max_tokens")}


def _strip_unused(composed: Composed) -> Composed:
    """Without the keys that cannot matter to a method that only evaluates, so that such runs are shared."""
    kept = composed.without("optimize", "prompt", "evaluation", "preset", "budget")
    models = kept.data["models"]
    if isinstance(models, dict):  # else a setting has put something there that is refused when it is read
        models = {**models, "optimizer": models["task"]}
    return Composed({**kept.data, "models": models}, kept.lines)


def _drop(data: dict[str, Any], pattern: tuple[str, ...]) -> None:
    first, rest = pattern[0], pattern[1:]
    for key in list(data) if first == "*" else [first]:
        if not rest:
            data.pop(key, None)
        elif isinstance(data.get(key), dict) and data[key]:
            _drop(data[key], rest)
            if not data[key]:  # a section of nothing else is as if it were not written
                del data[key]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "x"
