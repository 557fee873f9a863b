"""A suite: methods × tasks × models × settings × seeds and the table or figure that they make, from one YAML file.

Makes no run and reads no data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from gpo.config.load import KeyPath, at_line, explain, parse_yaml
from gpo.config.section import Section
from gpo.config.task import SplitSize
from gpo.errors import ConfigError
from gpo.suites.spec.methods import expand_methods
from gpo.suites.spec.override import override

SUITES = Path(__file__).parents[1] / "builtin"
MOST_SEEDS = 1_000
"""That a number stands for: a larger one is meant as a seed."""
Dimension = Literal[
    "method", "task", "model", "setting", "direction", "trajectory", "edit_distance", "refinement"
]


class ModelPair(Section):
    """A task model and an optimizer model, each with the keys of the configuration's `models`."""

    task: dict[str, Any] = Field(default_factory=dict)
    """Left out for programs that do their own work (`task.identity`)."""
    optimizer: dict[str, Any] = Field(default_factory=dict)
    """The task model where left out."""
    settings: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The settings that it is run in; all where left out."""


class TableSection(Section):
    """What stands where. Whatever is neither row nor column is averaged, seeds within each trial of the table."""

    rows: Dimension = "method"
    columns: Annotated[
        tuple[Dimension, ...],
        Field(min_length=1),
        BeforeValidator(lambda v: (v,) if isinstance(v, str) else v),
    ] = ("task",)
    metric: Literal["test", "dev"] = "test"
    ours: str = "gpo"
    """The row that is no baseline."""
    average: bool = False
    """Add a column with the mean over all columns."""
    steps: Annotated[int, Field(gt=0)] | None = None
    """Steps that a curve shows; all where left out."""

    @model_validator(mode="after")
    def _apart(self) -> TableSection:
        named = (self.rows, *self.columns)
        if twice := [name for name in named if named.count(name) > 1]:
            raise ValueError(f"{twice[0]} stands twice among rows and columns")
        return self


class SuiteBudget(Section):
    """Caps on every optimizing run. `equal`: on what its search asks for, stored answers included, and the held-out
    test left out; otherwise as `budget` of a configuration."""

    equal: bool = False
    max_calls: Annotated[int, Field(gt=0)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    max_usd: Annotated[float, Field(gt=0)] | None = None
    max_seconds: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _countable(self) -> SuiteBudget:
        if self.equal and (self.max_usd or self.max_seconds):
            raise ValueError("an equal budget counts calls or tokens; leave max_usd and max_seconds out")
        if self.equal and not (self.max_calls or self.max_tokens):
            raise ValueError("an equal budget needs max_calls or max_tokens")
        return self


class SplitCaps(Section):
    """Rows of each split, where fewer than all are wanted: counts, or shares between 0 and 1."""

    train: SplitSize | None = None
    dev: SplitSize | None = None
    test: SplitSize | None = None


class SuiteConfig(Section):
    """The file."""

    name: str = ""
    """The folder's name under runs/bench; the file's name where left out."""
    title: str = ""
    figure: Literal["tradeoff", "curve"] | None = None
    """tradeoff: score against improvement per dollar, or per million tokens where a price is unknown (Figure 1).
    curve: best dev score by step (Figure 3)."""
    tasks: Annotated[tuple[str | dict[str, Any], ...], Field(min_length=1)]
    """Names of tasks or groups, or whole `task` sections, each with `label`, and `prompt` or `prompts`, where
    wanted."""
    models: Annotated[dict[str, ModelPair], Field(min_length=1)]
    methods: Annotated[tuple[str | dict[str, Any], ...], Field(min_length=1)]
    """Names, the four parts (lists of options multiply), or published protocols; `label` names a row."""
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Named overrides: `key.path: value`."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, strict=True)], ...], Field(min_length=1)] = (0, 1, 2)
    base: dict[str, Any] = Field(default_factory=dict)
    """Configuration keys of all runs; `evaluation: racing` holds for the methods that can race."""
    budget: SuiteBudget = SuiteBudget()
    split: SplitCaps = SplitCaps()
    table: TableSection = TableSection()

    @field_validator("name")
    @classmethod
    def _folder(cls, value: str) -> str:
        if value and not re.fullmatch(r"[\w][\w.-]*", value):
            raise ValueError("letters, digits, ., _ and - only, as it names a folder")
        return value

    @field_validator("seeds")
    @classmethod
    def _once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a seed stands twice")
        return value

    @field_validator("methods")
    @classmethod
    def _options(cls, value: tuple[str | dict[str, Any], ...]) -> tuple[str | dict[str, Any], ...]:
        for entry in value:
            empty = (
                [key for key, options in entry.items() if options == []] if isinstance(entry, dict) else []
            )
            if empty:
                raise ValueError(f"{empty[0]} has no option; name one or more, or leave it out")
        return value

    @field_validator("settings", mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        # `I:` with nothing behind it is a setting without overrides.
        return {k: v or {} for k, v in value.items()} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _known_settings(self) -> SuiteConfig:
        for name, pair in self.models.items():
            if absent := [s for s in pair.settings or () if s not in self.settings]:
                raise ValueError(f"models.{name}.settings: there is no setting {absent[0]!r}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite as read: where relative paths start, and the lines of its keys for messages."""

    config: SuiteConfig
    source: str
    base_dir: Path
    lines: Mapping[KeyPath, int]
    builtin: bool

    @property
    def name(self) -> str:
        """Names the folder."""
        return self.config.name


def builtin_names() -> tuple[str, ...]:
    """The suites that GPO brings."""
    return tuple(sorted(path.stem for path in SUITES.glob("*.yaml")))


def load_suite(name: str, overrides: Sequence[str] = ()) -> Suite:
    """A builtin suite, or the one in the file `name`; `overrides` are "key.path=value".

    Raises `ConfigError` with one line that names the file, the line and the key.
    """
    builtin = name in builtin_names()
    path = SUITES / f"{name}.yaml" if builtin else Path(name)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        known = ", ".join(builtin_names())
        raise ConfigError(f"{name}: no suite can be read there ({reason}); GPO brings {known}") from None
    source = name if builtin else str(path)
    data, lines = parse_yaml(content, source)
    for text in overrides:
        override(data, text)
    if isinstance(data.get("seeds"), int) and not isinstance(data["seeds"], bool):
        if data["seeds"] > MOST_SEEDS:
            raise ConfigError(
                f"{at_line(source, lines.get(('seeds',)))}: seeds: a number says how many, at most {MOST_SEEDS}; name "
                "single ones in a list: [7, 42]"
            )
        data["seeds"] = list(range(data["seeds"]))
    try:
        config = SuiteConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain(error, source, lines, SuiteConfig)) from None
    if not config.name:
        config = config.model_copy(
            update={"name": re.sub(r"[^\w.-]", "-", path.stem).lstrip(".-") or "suite"}
        )
    config = config.model_copy(update={"table": _with_ours(config, source, lines)})
    # A builtin suite has no files of its own: what its overrides name stands in the current folder.
    base_dir = Path.cwd() if builtin else path.resolve().parent
    return Suite(config=config, source=source, base_dir=base_dir, lines=lines, builtin=builtin)


def _with_ours(config: SuiteConfig, source: str, lines: Mapping[KeyPath, int]) -> TableSection:
    """The table's section, where GPO is found under whatever label it has if no other row is named."""
    table = config.table
    if table.rows != "method" or "ours" in table.model_fields_set:
        return table
    found = expand_methods(config.methods, at_line(source, lines.get(("methods",))))
    label = next((entry.label for entry in found if entry.name == table.ours), table.ours)
    # A copy does not count as written.
    return TableSection.model_construct(table.model_fields_set, **{**table.model_dump(), "ours": label})
