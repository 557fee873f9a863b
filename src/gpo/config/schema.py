"""The configuration: one pydantic model a section; every key of the YAML file is a field here.

`gpo.config.load` reads it from a file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from gpo.config.models import ModelsConfig, name_function
from gpo.config.parts import Direction, EditDistancePart, RefinementPart, TrajectoryPart
from gpo.config.plus import PlusConfig
from gpo.config.published import PUBLISHED, ApeConfig, ApoConfig, OproConfig, Pe2Config
from gpo.config.section import Section
from gpo.config.task import TaskConfig


class MethodConfig(Section):
    """A method as its four parts (paper, Table 4): an option's name each, or `module:Class` of an own part."""

    direction: Direction = "prompt+performance"
    """What is known of the current prompt (the update direction)."""
    trajectory: TrajectoryPart = "relevance"
    """Which earlier prompts are shown beside it."""
    edit_distance: EditDistancePart = "cosine"
    """How the number of words that may change goes down over the steps."""
    refinement: RefinementPart = "generation"
    """Whether the current prompt is edited or a new one is written."""


class EditDistanceConfig(Section):
    """The bounds of the edit distance in words, and how it is kept."""

    initial: Annotated[int, Field(gt=0)] = 50
    """Words that may change in the first step."""
    final: Annotated[int, Field(gt=0)] = 10
    """Words that may change in the last step."""
    control: Literal["ask", "enforce"] = "ask"
    """ask: the limit stands in the meta-prompt. enforce: a candidate over the limit is rejected and resampled."""


class OptimizeConfig(Section):
    """How long and how wide the search is (paper, Implementation Details)."""

    epochs: Annotated[int, Field(gt=0)] = 3
    """Times that the search goes through train; the steps are epochs × batches of train."""
    batch_size: Annotated[int, Field(gt=0)] = 8
    """Train rows of a step."""
    candidates: Annotated[int, Field(gt=0)] = 8
    """New prompts a step."""
    task_examples: Annotated[int, Field(ge=0)] = 3
    """Train rows shown in the meta-prompt."""
    k: Annotated[int, Field(gt=0)] = 3
    """Prompts of the trajectory shown, the current one included."""
    patience: Annotated[int, Field(gt=0)] | None = None
    """Stop after that many steps without a better dev score."""
    max_words: Annotated[int, Field(gt=0)] = 200
    """A longer candidate is rejected."""
    frozen: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Parts of the initial prompt that every candidate keeps word for word; one that does not is rejected."""
    resamples: Annotated[int, Field(ge=0)] = 2
    """How often a step asks again for the candidates that were rejected."""
    edit_distance: EditDistanceConfig = EditDistanceConfig()
    """How many words may change."""
    keep_going: bool = False
    """Go on where no reply to the initial prompt can be read, which else ends the run before its first step."""
    meta_prompt: str | None = None
    """A folder of own templates; a template that it lacks is taken from GPO's."""
    coordinate: Literal["turn", "promise"] = "turn"
    """Which of several prompts a step changes. turn: one after the other. promise: each once, then the one whose last
    step gained most on dev; one that has not been changed for twice as many steps as there are prompts is next."""


class BudgetConfig(Section):
    """Caps over both models and over resumes; null is no cap."""

    max_calls: Annotated[int, Field(gt=0)] | None = None
    """Most calls."""
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    """Most tokens, prompts and replies together."""
    max_usd: Annotated[float, Field(gt=0)] | None = None
    """Most dollars; needs a known price of every model."""
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    """Most seconds; what is in flight then may finish for 5 s."""


NAMED: dict[str, type[BaseModel]] = {"gpo+": PlusConfig, **PUBLISHED}
"""The methods that a mapping with a name changes."""


def _method_kind(value: Any) -> str:
    """Which member of `MethodChoice` a value is meant to be."""
    if isinstance(value, str):
        return "str"
    if isinstance(value, dict):
        return NAMED[value["name"]].__name__ if "name" in value else "MethodConfig"
    return type(value).__name__


MethodChoice = Annotated[
    Annotated[str, Tag("str")]
    | Annotated[MethodConfig, Tag("MethodConfig")]
    | Annotated[ApeConfig, Tag("ApeConfig")]
    | Annotated[ApoConfig, Tag("ApoConfig")]
    | Annotated[OproConfig, Tag("OproConfig")]
    | Annotated[Pe2Config, Tag("Pe2Config")]
    | Annotated[PlusConfig, Tag("PlusConfig")],
    Discriminator(_method_kind),
]


class Config(Section):
    """A whole run."""

    task: TaskConfig
    """The data, how a prompt stands in it, and how replies are read and scored."""
    prompt: str = "Let's think step by step."
    """The prompt to start from."""
    prompts: dict[str, str] | None = None
    """In place of `prompt`, several by their names: those of a program (task.program), or `system` and `user`."""
    models: ModelsConfig
    """The models by role."""
    method: MethodChoice = "gpo"
    """A name, the four parts, or `gpo+` or a published protocol by its name with some of its settings changed."""
    preset: Literal["paper", "released"] = "paper"
    """How to settle what the paper leaves open: as its text suggests, or as the authors' released code does it."""
    optimize: OptimizeConfig = OptimizeConfig()
    """How long and how wide the search is."""
    evaluation: Literal["full", "racing"] = "full"
    """full: every candidate meets all dev rows. racing: weak candidates meet a part of them only."""
    budget: BudgetConfig = BudgetConfig()
    """Caps on calls, tokens, dollars and seconds."""
    layout: Literal[1, 2] = 2
    """How prompts are framed, meta-prompts worded and steps counted; 1 is that of GPO 0.1.0, whose runs go on with
    it."""
    seed: Annotated[int, Field(ge=0, strict=True)] = 0
    """Of every random choice: the same seed and answers give the same run."""

    @model_validator(mode="before")
    @classmethod
    def _own_work(cls, data: Any) -> Any:
        """A program that does its own work takes the place of the task model."""
        task, models = (
            (data.get(key) for key in ("task", "models")) if isinstance(data, dict) else (None, None)
        )
        if (
            isinstance(task, dict)
            and task.get("identity")
            and isinstance(models, dict)
            and "task" not in models
        ):
            return {**data, "models": {**models, "task": {"model": name_function(task["identity"])}}}
        return data

    @field_validator("prompts")
    @classmethod
    def _named_prompts(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if value is not None and not value:
            raise ValueError("must name at least one prompt")
        return value

    @field_validator("method", mode="before")
    @classmethod
    def _method_name(cls, value: Any) -> Any:
        if not isinstance(value, str | dict | BaseModel):
            raise ValueError("must be a name or a mapping")
        if isinstance(value, dict) and str(value.get("name", "gpo+")) not in NAMED:
            raise ValueError(
                f"a mapping with a name changes the numbers of {', '.join(NAMED)}; "
                "without a name it has the four parts"
            )
        return value
