"""What a run directory holds that a prompt is handed on with: its template, how the model is called, its scores.

A run directory may come from anybody: whatever it holds is checked or taken as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gpo.config.load import parse_yaml
from gpo.config.models import ModelConfig
from gpo.config.schema import Config
from gpo.errors import ConfigError, RunError
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.storage.regular_file import read_regular
from gpo.task.metric import SPLIT_LEVEL, is_named
from gpo.task.reading import Reading
from gpo.task.template import Template
from gpo.text import points

LARGEST = 16 * 2**20
"""Bytes of a `config.yaml`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """`name` is that of the run directory, `reading` how a reply is judged, `target` the expected answer's column."""

    name: str
    template: Template
    result: Result
    model: ModelConfig
    reading: Reading
    second_round_tokens: int
    target: str

    @property
    def is_chat(self) -> bool:
        """False: the text of a base model."""
        return self.template.turns[0].role != "text"

    @property
    def stop(self) -> tuple[str, ...]:
        """As `Task.stop` has it."""
        return () if self.is_chat else ("\nQ:",)

    @property
    def score_line(self) -> str:
        """What the prompt scored, in one line."""
        scores = self.result.scores.best
        told = [
            f"{name} {points(value)}"
            for name, value in (("dev", scores.dev), ("test", scores.test))
            if value is not None
        ]
        return ", ".join(told) or "not scored"

    def judged(self, format_name: str) -> Reading:
        """How replies are judged. Raises `ConfigError` where that is a function which a file cannot name."""
        known = is_named(self.reading.metric)
        if self.reading.metric in SPLIT_LEVEL:
            raise ConfigError(
                f"--to {format_name}: {self.reading.metric} is a score of the whole split, and that tool takes the "
                "mean over rows; use --to langchain, messages or json"
            )
        if self.reading.kind and known:
            return self.reading
        raise ConfigError(
            f"--to {format_name}: the run reads or scores answers with a function of your own, which the file cannot "
            "name; use --to langchain, messages or json"
        )


def read_material(run_dir: Path) -> Material:
    """Read the result of the run in `run_dir`. Raises `RunError` with one line where there is none to hand on."""
    directory = RunDirectory(run_dir)
    result = directory.read_result()
    if result is None:
        raise RunError(f"{run_dir}: has no result.json; run gpo optimize to its end first")
    if "template" not in result.extra:
        raise RunError(
            f"{directory.result_path}: is of an older GPO and has no template; the same gpo optimize with "
            f"--run-dir NEW --fork {directory.path} makes a run that has one, of the answers that are there"
        )
    try:
        template = Template.from_dict(result.extra["template"])
    except ValueError as error:
        raise RunError(f"{directory.result_path}: `template` {error}") from None
    config = _config(directory.config_path)
    told = result.extra.get("reading")
    try:
        reading = Reading.from_dict(told) if isinstance(told, Mapping) else _of_config(config)
    except ValueError as error:
        raise RunError(f"{directory.result_path}: `reading` {error}") from None
    tokens = told.get("second_round_tokens") if isinstance(told, Mapping) else None
    return Material(
        name=run_dir.resolve().name or "run",
        template=template,
        result=result,
        model=config.models.task,
        reading=reading,
        second_round_tokens=tokens if isinstance(tokens, int) else config.task.answer.second_round_tokens,
        target=config.task.target,
    )


def _of_config(config: Config) -> Reading:
    """For a result of an older GPO."""
    answer = config.task.answer
    return Reading(answer.kind, answer.labels, config.task.metric)


def _config(path: Path) -> Config:
    try:
        data, _ = parse_yaml(read_regular(path, LARGEST).decode("utf-8"), str(path))
        return Config.model_validate(data)
    except (ValueError, ConfigError) as error:
        line = " ".join(str(error).split())[:200]
        raise RunError(f"{path}: is no configuration of GPO ({line})") from None
