"""The section `models`: the task model, the optimizer model and the judge, each with how it is called."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from gpo.config.masking import looks_like_key
from gpo.config.section import Section


def name_function(identity: str) -> str:
    """What a function in Python is called where a model has its name."""
    return f"python/{identity}"


class Price(Section):
    """Dollars for a million tokens."""

    input: Annotated[float, Field(ge=0)]
    """Of prompt tokens."""
    output: Annotated[float, Field(ge=0)]
    """Of completion tokens."""
    cached_input: Annotated[float, Field(ge=0)] | None = None
    """Of prompt tokens that the provider had in its cache; null: as any other."""


class FromEnvironment(Section):
    """A value that an environment variable holds."""

    env: Annotated[str, Field(min_length=1)]
    """The variable's name."""


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
    """`openai/NAME`, `anthropic:NAME` or `gemini:NAME` (with the extra any-llm), `local/NAME`, a path to a `.gguf`,
    or any NAME with a `base_url`."""
    base_url: str | None = None
    """The address of an endpoint that speaks the OpenAI wire, with /v1; null: OpenAI's, or an embedded model."""
    api_key_env: str | None = None
    """The environment variable that holds the key; OPENAI_API_KEY for `openai/…`, ANTHROPIC_API_KEY and GEMINI_API_KEY
    for `anthropic:…` and `gemini:…`, none elsewhere."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Of sampling; 0 for the task model and 1.0 for the optimizer model where it is left out."""
    max_tokens: Annotated[int, Field(gt=0)] = 256
    """Most tokens of a reply; 256 for the task model and 512 for the optimizer model where it is left out."""
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
    extra_body: dict[str, Any] = {}  # noqa: RUF012 (pydantic copies it)
    """Fields that go into every request as they are, such as `chat_template_kwargs: {enable_thinking: false}`."""
    extra_headers: dict[str, str | FromEnvironment] = {}  # noqa: RUF012
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
    """The two roles, and what may stand beside them."""

    task: ModelConfig
    """The model that answers the rows under a prompt."""
    optimizer: ModelConfig
    """The model that writes new prompts."""
    judge: ModelConfig | None = None
    """The model that grades answers (task.metric: judge), at temperature 0; of its replies 512 tokens at most where it
    is left out."""
    embedder: ModelConfig | None = None
    """What the relevance trajectory compares prompts by, asked at its endpoint's /embeddings; an embedded model
    (`local/NAME`) is asked in its engine, which it shares with the roles of the same weights; null: BGE on this machine
    (the extra `embed`). Of its settings those of sampling and of replies have no meaning."""

    def roles(self) -> dict[str, ModelConfig]:
        """The models that there are and that write, by role."""
        judge = {"judge": self.judge} if self.judge else {}
        return {"task": self.task, "optimizer": self.optimizer, **judge}

    def all_roles(self) -> dict[str, ModelConfig]:
        """All models that there are, by role."""
        return {**self.roles(), **({"embedder": self.embedder} if self.embedder else {})}

    @field_validator("judge")
    @classmethod
    def _judges_at_zero(cls, value: ModelConfig | None) -> ModelConfig | None:
        if value is not None and (value.temperature or not value.chat):
            raise ValueError(
                "a judge is a chat model that is asked at temperature 0; leave temperature and chat out"
            )
        return value

    @model_validator(mode="before")
    @classmethod
    def _role_defaults(cls, data: Any) -> Any:
        # The paper samples candidates at temperature 1.0 with 512 tokens; the task model's defaults are others.
        # A judge says why before it says how much.
        own: dict[str, dict[str, Any]] = {
            "optimizer": {"temperature": 1.0, "max_tokens": 512},
            "judge": {"max_tokens": 512},
        }
        if isinstance(data, dict):
            return {
                **data,
                **{role: {**own[role], **data[role]} for role in own if isinstance(data.get(role), dict)},
            }
        return data
