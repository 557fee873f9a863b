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
)

from gpo.config.models import ModelsConfig
from gpo.config.plus import PlusConfig
from gpo.config.published import PUBLISHED, ApeConfig, ApoConfig, OproConfig, Pe2Config
from gpo.config.section import Section
from gpo.config.task import TaskConfig

InformationName = Literal[
    "prompt", "prompt+performance", "prompt+reflection", "prompt+performance+reflection"
]
TrajectoryName = Literal["none", "summarization", "recency", "relevance", "importance"]
EditDistanceName = Literal[
    "none", "fixed", "linear", "cosine", "none+warmup", "fixed+warmup", "linear+warmup", "cosine+warmup"
]
RefinementName = Literal["editing", "generation"]


class MethodConfig(Section):
    """A method as its four parts (paper, Table 4)."""

    direction: InformationName = "prompt+performance"
    trajectory: TrajectoryName = "relevance"
    edit_distance: EditDistanceName = "cosine"
    refinement: RefinementName = "generation"


class EditDistanceConfig(Section):
    """The bounds of the edit distance in words, and how it is kept."""

    initial: Annotated[int, Field(gt=0)] = 50
    final: Annotated[int, Field(gt=0)] = 10
    control: Literal["ask", "enforce"] = "ask"
    """ask: the limit stands in the meta-prompt. enforce: a candidate over the limit is rejected and resampled."""


class OptimizeConfig(Section):
    """How long and how wide the search is (paper, Implementation Details)."""

    epochs: Annotated[int, Field(gt=0)] = 3
    batch_size: Annotated[int, Field(gt=0)] = 8
    candidates: Annotated[int, Field(gt=0)] = 8
    task_examples: Annotated[int, Field(ge=0)] = 3
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
    keep_going: bool = False
    """Go on where no reply to the initial prompt can be read, which else ends the run before its first step."""
    meta_prompt: str | None = None
    """A folder of own templates; a template that it lacks is taken from GPO's."""


class BudgetConfig(Section):
    """Caps over both models and over resumes; null is no cap."""

    max_calls: Annotated[int, Field(gt=0)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    max_usd: Annotated[float, Field(gt=0)] | None = None
    max_seconds: Annotated[float, Field(gt=0)] | None = None


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
    prompt: str = "Let's think step by step."
    models: ModelsConfig
    method: MethodChoice = "gpo"
    """A name, the four parts, or `gpo+` or a published protocol by its name with some of its settings changed."""
    preset: Literal["paper", "released"] = "paper"
    optimize: OptimizeConfig = OptimizeConfig()
    evaluation: Literal["full", "racing"] = "full"
    budget: BudgetConfig = BudgetConfig()
    layout: Literal[1, 2] = 2
    """How prompts are framed, meta-prompts worded and steps counted; 1 is that of GPO 0.1.0, whose runs go on with
    it."""
    seed: Annotated[int, Field(ge=0, strict=True)] = 0

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
