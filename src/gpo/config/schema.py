"""The configuration: one pydantic model a section; every key of the YAML file is a field here.

`gpo.config.load` reads it from a file.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from gpo.config.masking import looks_like_key
from gpo.config.plus import PlusConfig
from gpo.config.published import PUBLISHED, ApeConfig, ApoConfig, OproConfig, Pe2Config

AnswerKind = Literal["label", "choice", "number", "boolean", "words", "text"]
Position = Literal["before_question", "question_begin", "question_end", "answer_begin", "system"]
InformationName = Literal[
    "prompt", "prompt+performance", "prompt+reflection", "prompt+performance+reflection"
]
TrajectoryName = Literal["none", "summarization", "recency", "relevance", "importance"]
EditDistanceName = Literal[
    "none", "fixed", "linear", "cosine", "none+warmup", "fixed+warmup", "linear+warmup", "cosine+warmup"
]
RefinementName = Literal["editing", "generation"]


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and a value is never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AnswerConfig(Section):
    """How an answer is read from a reply."""

    kind: AnswerKind = "text"
    """What is looked for: one of `labels`, a lettered choice, a number, yes/no or true/false, a word list, all."""
    labels: tuple[Annotated[str, BeforeValidator(lambda v: _label(v))], ...] = ()
    """The allowed labels (kind: label); taken from the targets where empty."""
    rounds: Literal[1, 2] = 1
    """2: a second turn asks for the bare answer after the first reply."""
    second_round_tokens: Annotated[int, Field(gt=0)] = 100
    """Most tokens of the second round's reply."""


def _split_size(value: int | float) -> int | float:
    if isinstance(value, float) and value >= 1 and value.is_integer():
        value = int(value)
    if not value > 0 or (isinstance(value, float) and value > 1):
        raise ValueError(
            "must be a number of rows, such as 50, or a share of the rows between 0 and 1, such as 0.3"
        )
    return value


SplitSize = Annotated[
    int | float, AfterValidator(_split_size), Field(json_schema_extra={"exclusiveMinimum": 0})
]


class TaskConfig(Section):
    """What is optimized for."""

    data: str | dict[Literal["train", "dev", "test", "format", "demos"], str]
    """A file, a folder of split files, a map of split to file, a builtin task (`gpo/NAME`), or a benchmark name."""
    split: dict[Literal["train", "dev", "test", "format", "demos"], SplitSize] | None = None
    """Rows a split, drawn with `seed`, where `data` is one file or a builtin task: counts (50), or shares (0.3) of the
    different rows."""
    stratify: bool | None = None
    """Deal the rows of one file so that every split has the same mix of labels, where labels are few; null: where
    `split` gives shares."""
    input: str = "input"
    """A column, or a template with columns in braces."""
    target: str = "target"
    """The column of the expected answer."""
    answer: AnswerConfig = AnswerConfig()
    metric: str = "exact_match"
    """`exact_match`, `accuracy`, `rouge_l` (of stemmed words; the best of several references counts) or
    `package.module:function`."""
    position: Position = "question_end"
    """Where the prompt stands."""
    frame: Literal["plain", "qa"] | None = None
    """What stands around question and prompt: nothing, or `Q: … A:`; null: nothing for chat models, `Q: … A:` for
    base models (`preset: released`: nothing for either)."""
    demonstrations: Annotated[int, Field(ge=0)] = 0
    """Worked examples shown before the question."""
    allow_overlap: bool = False
    """Accept test rows that stand in train or dev too."""


class Price(Section):
    """Dollars for a million tokens."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None


class FromEnvironment(Section):
    """A value that an environment variable holds."""

    env: Annotated[str, Field(min_length=1)]


_OWN_FIELDS = frozenset(
    {
        "model",
        "messages",
        "prompt",
        "n",
        "best_of",
        "seed",
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "stop",
    }
    | {"stream", "stream_options", "top_p", "reasoning_effort"}
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset(
    {"content-length", "content-type", "content-encoding", "accept-encoding", "host"}
    | {"transfer-encoding", "connection"}
)


class ModelConfig(Section):
    """One model and how it is called."""

    model: str
    """`openai/NAME`, `local/NAME`, a path to a `.gguf`, or any NAME with a `base_url`."""
    base_url: str | None = None
    api_key_env: str | None = None
    """The environment variable that holds the key; OPENAI_API_KEY for `openai/…`, none elsewhere."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    max_tokens: Annotated[int, Field(gt=0)] = 256
    concurrency: Annotated[int, Field(gt=0)] = 64
    """Most calls under way at once, fewer while the endpoint refuses (429); for an embedded model the number of slots
    is the limit."""
    requests_per_minute: Annotated[int, Field(gt=0)] | None = None
    """Most calls a minute, where the provider says how many; null: no limit. Roles with the same model share it."""
    tokens_per_minute: Annotated[int, Field(gt=0)] | None = None
    """Most tokens a minute, prompts and replies together; null: no limit. Roles with the same model share it."""
    chat: bool = True
    """False: a base model, asked through plain completions without a chat template."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Nucleus sampling; null: the server's own."""
    reasoning_effort: str | None = None
    """How much a reasoning model thinks, in the endpoint's words (none, minimal, low, medium, high); null: its own."""
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Texts that end a reply, beside the task's own."""
    extra_body: dict[str, Any] = {}
    """Fields that go into every request as they are, such as `chat_template_kwargs: {enable_thinking: false}`."""
    extra_headers: dict[str, str | FromEnvironment] = {}
    """Headers of every request; a value is a text or `{env: NAME}`, and is written down nowhere."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds until a call is given up and tried again."""
    retries: Annotated[int, Field(ge=0)] = 5
    """How often a call is made again that failed for a reason that may pass: a rate limit, a lost connection."""
    retry_delay: Annotated[float, Field(ge=0)] = 0.5
    """Seconds before the first retry at most; doubled with every further one up to a minute, drawn at random below."""
    price: Price | None = None
    """Dollars for a million tokens, where the built-in table does not know the model or knows it wrong."""

    @field_validator("extra_body")
    @classmethod
    def _own_fields(cls, value: dict[str, Any]) -> dict[str, Any]:
        if own := sorted(_OWN_FIELDS & value.keys()):
            raise ValueError(f"GPO sends {own[0]} itself; where it is a key of the model, write it there")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError("holds a value that JSON does not have (a date, a set, .nan)") from None
        return value

    @field_validator("extra_headers")
    @classmethod
    def _own_headers(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name.lower() in _OWN_HEADERS or not _HEADER.fullmatch(name):
                raise ValueError(f"{name[:40]!a} is no header that may be added")
        return value

    @field_validator("api_key_env")
    @classmethod
    def _names_a_variable(cls, value: str | None) -> str | None:
        if value is not None and looks_like_key(value):
            raise ValueError(
                "must be the name of an environment variable, and this looks like a key itself, which is not repeated "
                "here; put the key into a variable and write that one's name"
            )
        return value


class ModelsConfig(Section):
    """The two roles."""

    task: ModelConfig
    optimizer: ModelConfig

    @model_validator(mode="before")
    @classmethod
    def _optimizer_defaults(cls, data: Any) -> Any:
        # The paper samples candidates at temperature 1.0 with 512 tokens; the task model's defaults are others.
        if isinstance(data, dict) and isinstance(data.get("optimizer"), dict):
            return {**data, "optimizer": {"temperature": 1.0, "max_tokens": 512, **data["optimizer"]}}
        return data


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


def _label(value: Any) -> Any:
    # YAML reads `yes`, `no`, `on` and bare numbers as other types; a label is always text.
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value) if isinstance(value, int | float) else value
