"""What a run needs, ready to go: data read, models named, method resolved. Nothing is sent and nothing written.

Knows the configuration; it does not know run directories or journals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.config.load import dump_config
from gpo.config.schema import BudgetConfig, Config, ModelConfig, OptimizeConfig
from gpo.errors import ConfigError
from gpo.evaluation.rounds import ScorerSettings
from gpo.model.factory import Endpoints, OpenModel, PullProgress, RoleName, is_embedded, open_model
from gpo.optimizer.choose import Published, choose
from gpo.optimizer.loop import LoopSettings, step_count
from gpo.optimizer.metaprompt import MetaPromptSettings
from gpo.optimizer.methods import Method, Preset
from gpo.run.estimate.context_size import engine_needs
from gpo.run.identity.code_fingerprint import fingerprint_code
from gpo.run.identity.task_identity import identity, template_digest
from gpo.run.layers.budget import check_prices
from gpo.task.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. `recorded` identifies it (resolved configuration and a digest of the data, JSON values);
    `config_text` is what `config.yaml` says."""

    task: Task
    prompt: str
    method: Method | Published
    task_model: OpenModel
    optimizer_model: OpenModel
    scorer: ScorerSettings
    temperature: float
    max_tokens: int
    optimize: OptimizeConfig
    preset: Preset
    racing: bool = False
    budget: BudgetConfig
    seed: int
    recorded: Mapping[str, Any]
    config_text: str
    base_dir: Path

    @property
    def loop(self) -> LoopSettings:
        """Steps and candidates as the configuration and the size of train say."""
        released = self.preset == "released"
        settings = self.optimize
        return LoopSettings(
            steps=step_count(
                len(self.task.splits.train), settings.batch_size, settings.epochs, drop_remainder=released
            ),
            candidates=settings.candidates,
            resamples=settings.resamples,
            patience=settings.patience,
            enforce=settings.edit_distance.control == "enforce",
            racing=self.racing,
            meta_prompt=MetaPromptSettings(
                task_examples=settings.task_examples,
                scale="share" if released else "percent",
                frozen=settings.frozen,
            ),
        )


def assemble(
    config: Config,
    *,
    base_dir: Path,
    data_dir: Path | None = None,
    task: Task | None = None,
    models: Mapping[str, OpenModel] | None = None,
    method_object: Method | None = None,
    on_pull: PullProgress | None = None,
    scored: str = "",
) -> Plan:
    """Read the data, then open the models (no call is made, no engine started; weights are fetched where needed).

    `base_dir` is the folder that relative paths of the configuration start from, `data_dir` the one with the rows of
    benchmarks; neither becomes part of what is recorded, so that the same rows make the same run. `task`, `models`
    (by role) and `method_object` take the place of what the configuration names. An embedded engine is made large
    enough for the prompt `scored` too. Raises `ConfigError` and `ModelError`.
    """
    chosen = method_object or choose(config.method, config.optimize, config.preset)
    own_task = task
    task = task or Task.from_config(
        config.task, seed=config.seed, chat=config.models.task.chat, base_dir=base_dir, data_dir=data_dir
    )
    own = models or {}
    endpoints = Endpoints(settings for role, settings in _roles(config) if role not in own)
    longest = max(_prompt(config, chosen), scored, key=len)
    # Only an engine asks how long requests are: to find out takes a look at every row.
    embedded = any(is_embedded(settings) for _, settings in _roles(config))
    needs = engine_needs(config, task, longest) if embedded else {}
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
        for role, settings in _roles(config)
    }
    _check_frozen(_prompt(config, chosen), config.optimize.frozen)
    check_prices(config.budget, {role: model.cost for role, model in opened.items()})
    return Plan(
        task=task,
        prompt=_prompt(config, chosen),
        method=chosen,
        task_model=opened["task"],
        optimizer_model=opened["optimizer"],
        scorer=scorer_settings(config, task),
        temperature=config.models.optimizer.temperature,
        max_tokens=config.models.optimizer.max_tokens,
        optimize=config.optimize,
        preset=config.preset,
        racing=_racing(config, chosen),
        budget=config.budget,
        seed=config.seed,
        recorded=_recorded(config, task, method_object, base_dir, own_task=own_task is not None),
        config_text=dump_config(config),
        base_dir=base_dir,
    )


def _roles(config: Config) -> tuple[tuple[RoleName, ModelConfig], ...]:
    return (("task", config.models.task), ("optimizer", config.models.optimizer))


def _prompt(config: Config, chosen: Method | Published) -> str:
    # `empty` and `cot` are prompts of their own: what they name is what is evaluated.
    own = chosen.prompt if isinstance(chosen, Published) else None
    return config.prompt if own is None else own


def _racing(config: Config, chosen: Method | Published) -> bool:
    if config.evaluation == "full" or not isinstance(chosen, Published):
        return config.evaluation == "racing"
    if chosen.prompt is None:
        raise ConfigError(
            f"evaluation: racing picks a step's best candidate, and {chosen.name} picks in a way of its own; write full"
        )
    return False


def _check_frozen(prompt: str, frozen: Sequence[str]) -> None:
    for text in frozen:
        if text not in prompt:
            raise ConfigError(f"optimize.frozen: {text!a} does not stand in the initial prompt")


def _recorded(
    config: Config, task: Task, method_object: Method | None, base_dir: Path, *, own_task: bool
) -> dict[str, Any]:
    recorded = {**config.model_dump(mode="json"), **identity(task, whole=own_task)}
    if config.optimize.meta_prompt:
        recorded["template_digest"] = template_digest(base_dir / config.optimize.meta_prompt)
    if method_object is not None:
        parts = (
            method_object.information,
            method_object.trajectory,
            method_object.edit_distance,
            method_object.refinement,
        )
        recorded["method"] = [type(part).__qualname__ for part in parts]
        recorded["part_code"] = [fingerprint_code(part, helpers=True) for part in parts]
    return recorded


def scorer_settings(config: Config, task: Task) -> ScorerSettings:
    """How the task model is called under `config` for `task`, whose benchmark may bring defaults of its own."""
    return ScorerSettings(
        temperature=config.models.task.temperature,
        max_tokens=config.models.task.max_tokens,
        second_round_tokens=task.second_round_tokens,
        seed=config.seed,
    )
