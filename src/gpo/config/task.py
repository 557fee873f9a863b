"""The section `task`: the data, how a prompt stands in it, how replies are read and scored."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator

from gpo.config.section import Section

AnswerKind = Literal["label", "choice", "number", "boolean", "words", "text", "json"]
Position = Literal["before_question", "question_begin", "question_end", "answer_begin", "system"]


class AnswerConfig(Section):
    """How an answer is read from a reply."""

    # `schema` alone would hide a method of pydantic's.
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    kind: AnswerKind = "text"
    """What is looked for: one of `labels`, a lettered choice, a number, yes/no or true/false, a word list, all of the
    reply, JSON."""
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    """The JSON schema that an answer has to fit (kind: json); a value that does not is none."""
    labels: tuple[
        Annotated[str, BeforeValidator(lambda v: _label(v), json_schema_input_type=str | float | bool)], ...
    ] = ()
    """The allowed labels (kind: label); taken from the targets where empty."""
    structured: bool = False
    """Ask the endpoint to hold the reply (of two rounds the second) to the labels, the question's letters or the schema
    (kinds label, choice, json)."""
    rounds: Literal[1, 2] = 1
    """2: a second turn asks for the bare answer after the first reply."""
    second_round_tokens: Annotated[int, Field(gt=0)] = 100
    """Most tokens of the second round's reply."""


class JudgeLabelsConfig(Section):
    """Answers that people have scored, in columns of the data: the judge grades them too, and is compared."""

    answer: Annotated[str, Field(min_length=1)]
    """The column of an answer to the row's question."""
    score: Annotated[str, Field(min_length=1)]
    """The column of the score, on the judge's scale, that people gave that answer; rows without one are passed over."""


class JudgeConfig(Section):
    """What the model `models.judge` grades by (metric: judge)."""

    rubric: Annotated[str, Field(min_length=1)]
    """What a good answer is, in words for the judge."""
    scale: tuple[float, float] = (0.0, 10.0)
    """The lowest and the highest score; scores are brought to 0 to 1."""
    labels: JudgeLabelsConfig | None = None
    """Where people's scores are; null: there are none, and nobody knows how good the judge is."""

    @field_validator("scale")
    @classmethod
    def _rises(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not (math.isfinite(value[0]) and math.isfinite(value[1]) and value[0] < value[1]):
            raise ValueError("must be two numbers, the lower one first, such as [0, 10]")
        return value


NO_SIZE = "must be a number of rows, such as 50, or a share of the rows between 0 and 1, such as 0.3"


def _finite_size(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(NO_SIZE)
    return value


def _split_size(value: int | float) -> int | float:
    if isinstance(value, float) and value >= 1 and value.is_integer():
        value = int(value)
    if not value > 0 or (isinstance(value, float) and value > 1):
        raise ValueError(NO_SIZE)
    return value


SplitSize = Annotated[
    int | float,
    BeforeValidator(_finite_size),
    AfterValidator(_split_size),
    Field(json_schema_extra={"exclusiveMinimum": 0}),
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
    """What kind an answer is, and how it is read from a reply."""
    metric: str = "exact_match"
    """`exact_match`, `accuracy`, `f1` (macro, over the split), `within 0.5` or `within 2%` (numbers), `regex` (targets
    are patterns), `rouge_l` (of stemmed words; the best of several references counts), `bleu` (over the split), `chrf`,
    `fields` (the share of fields that are right, for JSON, where it is the default), `judge` (what `models.judge`
    says), or `package.module:function`."""
    judge: JudgeConfig | None = None
    """What the judge grades by (metric: judge)."""
    position: Position = "question_end"
    """Where the prompt stands."""
    frame: Literal["plain", "qa"] | None = None
    """What stands around question and prompt: nothing, or `Q: … A:`; null: nothing for chat models, `Q: … A:` for
    base models (`preset: released`: nothing for either)."""
    demonstrations: Annotated[int, Field(ge=0)] = 0
    """Worked examples shown before the question."""
    program: str | None = None
    """`module:function` that answers a row in place of one call: `run(prompts, row, model)`, found beside the
    configuration file. `position`, `frame` and `demonstrations` have no meaning then."""
    identity: Annotated[str, Field(min_length=1)] | None = None
    """Of a program that does its own work and makes no call of the model: its outputs are journaled under this name."""
    allow_overlap: bool = False
    """Accept test rows that stand in train or dev too."""


def _label(value: Any) -> Any:
    # YAML reads `yes`, `no`, `on` and bare numbers as other types; a label is always text.
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value) if isinstance(value, int | float) else value
