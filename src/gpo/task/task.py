"""A task: examples, how a prompt meets an example, how an answer is read and how it is scored.

`Task` turns (prompt, example) into messages and a reply into a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from gpo.errors import ConfigError
from gpo.model.model import Message
from gpo.task.answer import Answer, AnswerReader, Prediction
from gpo.task.answer.label import BooleanReader, LabelReader
from gpo.task.answer.structured.reply_format import reply_format
from gpo.task.demonstrations import BEGIN, split_prompt
from gpo.task.example import Example, Splits
from gpo.task.metric import Metric
from gpo.task.metrics.comparable import Judgement, find_answer, read_targets
from gpo.task.metrics.texts import as_text
from gpo.task.program.program import Program
from gpo.task.prompt import SLOT, Frame, Layout, Position, PromptPlace, fill, is_template

if TYPE_CHECKING:
    from gpo.config.task import TaskConfig
    from gpo.task.options import ProgramOptions, Rows, TaskOptions

Opening = tuple[Message, ...] | str
SplitName = Literal["train", "dev", "test", "format", "demos"]

_RIGHT = "\nRight answer: "


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is optimized for.

    `rounds` 2 asks for the bare answer in a second turn of at most `second_round_tokens` tokens. `demonstrations`
    worked examples stand before the question (then there is one round). `chat` False lays everything out as a text
    that a base model continues. `frame` None is no frame for a chat and `Q: … A:` for a base model.
    `input_columns` are the columns that the question is made of: a prompt with all of them in braces, or with
    `{input}`, is the whole template. `question` is how it is made of them.
    `structured` asks the endpoint to hold the reply that is read to the answer's form. `warnings` are lines for a
    person, `test_warnings` those about the test split, to be said when it is evaluated. A `program` takes the place of
    the one call that answers a row. `parts` are the names of the prompts, where there are several or they have names.
    """

    name: str
    splits: Splits
    answer: AnswerReader
    metric: Metric
    position: Position = "question_end"
    frame: Frame | None = None
    demonstrations: int = 0
    chat: bool = True
    rounds: Literal[1, 2] = 1
    second_round_tokens: int = 100
    input_columns: tuple[str, ...] = ("input",)
    question: str = "{input}"
    structured: bool = False
    warnings: tuple[str, ...] = ()
    test_warnings: tuple[str, ...] = ()
    program: Program | None = None
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.demonstrations > (have := len(self.splits.demos or self.splits.train)):
            raise ConfigError(
                f"task.demonstrations: {self.demonstrations} are asked for, but there are {have} rows"
            )

    def __repr__(self) -> str:
        """The name, rows a split, and how answers are read; not the rows."""
        sizes = ", ".join(
            f"{len(rows)} {name}" for name in Splits.__slots__ if (rows := getattr(self.splits, name))
        )
        reader = type(self.answer).__name__
        return f"Task({self.name!a}: {sizes}; {reader}, {self.metric.name}, prompt at {self.position})"

    # How a prompt meets an example

    def opening(self, prompt: str, example: Example) -> Opening:
        """The first round: a chat, or the text to continue where `chat` is False."""
        if not self.chat:
            return "".join(text for text, _ in self.text_parts(prompt, example))
        words, demos = self._divided(prompt)
        layout = self._layout(words, example)
        messages = [Message("system", layout.system)] if layout.system else []
        for demo in demos:
            messages.append(Message("user", self._layout(words, demo).text))
            messages.append(Message("assistant", self.target_text(demo)))
        return (*messages, Message("user", layout.text))

    def closing(self, opening: Opening, reply: str) -> Opening | None:
        """The second round, which asks for the bare answer to the `reply` to `opening`; None where there is none."""
        if not self.asks_again:
            return None
        if isinstance(opening, str):
            return f"{opening}{reply.rstrip()}{self.answer.continuation}"
        return (*opening, Message("assistant", reply), Message("user", self.answer.request))

    @property
    def asks_again(self) -> bool:
        """Whether a second turn asks for the bare answer."""
        return self.rounds == 2 and not self.demonstrations

    def reply_format(self, example: Example, *, closing: bool) -> str:
        """The form that the reply to the second round (`closing`) or the first is held to, as JSON; "": none."""
        if not self.structured or closing != self.asks_again:
            return ""
        return reply_format(self.answer, example.input)

    @property
    def stop(self) -> tuple[str, ...]:
        """Texts at which a completion ends: a base model would go on with a question of its own."""
        return () if self.chat else ("\nQ:",)

    @property
    def prompt_leads(self) -> bool:
        """Whether the prompt stands before the question, so that requests of one prompt share the longest prefix."""
        return self.demonstrations > 0 or self.position in ("before_question", "question_begin", "system")

    def leads(self, prompt: str) -> bool:
        """Whether requests of `prompt` begin alike: by its place, or by demonstrations of its own."""
        return self.prompt_leads or len(self.parts) > 1 or bool(split_prompt(prompt)[1])

    def text_parts(self, prompt: str, example: Example) -> list[tuple[str, bool]]:
        """The text that a base model continues, in pieces, each with whether it is a worked example."""
        prompt, demos = self._divided(prompt)
        # A prompt that leads stands once before all the questions, not before each of them.
        leads = self.position in ("before_question", "system") and not is_template(prompt, self.input_columns)
        within = "" if demos and leads else prompt
        joint = " " if self._place.has_frame else "\n"
        blocks = [
            (f"{self._layout(within, demo).text}{joint}{self.target_text(demo)}\n\n", True) for demo in demos
        ]
        lead = fill(prompt, example.fields).strip() if demos and leads else ""
        return [
            *([(f"{lead}\n\n", False)] if lead else []),
            *blocks,
            (self._layout(within, example).text, False),
        ]

    @property
    def demos(self) -> Sequence[Example]:
        """The worked examples that stand before the question, whatever the prompt."""
        return (self.splits.demos or self.splits.train)[: self.demonstrations]

    # What a person and the optimizer model are shown

    @property
    def answer_form(self) -> str:
        """What every answer is, to finish "each answer is …"; "" where nothing can be said."""
        return self.answer.form

    @property
    def answer_choices(self) -> tuple[str, ...]:
        """All possible answers where they are few and known (labels, yes and no), else none."""
        if isinstance(self.answer, BooleanReader):
            return tuple(word.capitalize() for word in self.answer.words)
        return self.answer.labels if isinstance(self.answer, LabelReader) else ()

    @property
    def answer_texts(self) -> tuple[str, ...]:
        """Distinct expected answers of train and dev: texts that are no prompts."""
        parts = (self.splits.train, self.splits.dev)
        return tuple(dict.fromkeys(self.target_text(example) for part in parts for example in part))

    def with_slot(self, example: Example, slot: str = SLOT, *, part: str | None = None) -> str:
        """The example as the task model sees it, with `slot` where the prompt stands (of several the one called
        `part`), and the expected answer; of a program, whose business it is where prompts stand, without `slot`."""
        if self.program is not None:
            expected = self.target_text(example)
            return f"{example.input}{_RIGHT}{expected}" if expected else example.input
        framed = part is None and self._place.has_frame
        text = self._place.show(slot, example.input, part)
        return f"{text}{' ' if framed else _RIGHT}{self.target_text(example)}"

    def filled(self, prompt: str, example: Example) -> str:
        """The example with the words of `prompt` in their place, as one text for a person."""
        layout = self._layout(split_prompt(prompt)[0], example)
        return f"{layout.system}\n\n{layout.text}" if layout.system else layout.text

    def target_text(self, example: Example) -> str:
        """The expected answer as the data gives it; the first one where there are several references."""
        target = example.target[0] if isinstance(example.target, tuple) else example.target
        return as_text(target)

    # Reading and scoring

    def judge(self, reply: str, example: Example, *, cut: bool = False) -> Judgement:
        """Read `reply` and score it. An unreadable reply is an answer of no use: value 0. `cut` says that it ended at
        its length and not by itself: then a number or a word from its middle is not taken for its answer.

        Raises `ConfigError` where an own metric fails.
        """
        prediction, targets = self.find_answer(reply, example, cut=cut)
        if prediction is None:
            return Judgement(None, 0.0)
        return Judgement(prediction, self.metric(prediction, targets, example))

    def find_answer(
        self, reply: str, example: Example, *, cut: bool = False
    ) -> tuple[Prediction, list[Answer]]:
        """What `reply` answers (None: unreadable) and what is expected, in the same form: what a metric compares."""
        return find_answer(self.answer, reply, example, cut=cut)

    def targets(self, example: Example) -> list[Answer]:
        """The expected answers in the form in which an answer is read."""
        return read_targets(self.answer, example)

    def read(self, reply: str, example: Example | None = None) -> Prediction:
        """The answer in `reply`, None where it is unreadable. `example` gives the options of a choice."""
        return self.answer.read(reply, example.input if example else "")

    def score(self, reply: str, example: Example) -> float:
        """The value of `reply` in 0..1."""
        return self.judge(reply, example).value

    def examples(self, split: str) -> Sequence[Example]:
        """The examples of a split. Raises `ConfigError` for a split that does not exist."""
        if split not in Splits.__slots__:
            raise ConfigError(f"split: {split!r} is none of {', '.join(Splits.__slots__)}")
        found: Sequence[Example] = getattr(self.splits, split)
        return found

    # Making one

    @classmethod
    def from_config(
        cls,
        config: TaskConfig,
        *,
        seed: int,
        chat: bool = True,
        base_dir: Path = Path(),
        data_dir: Path | None = None,
    ) -> Task:
        """The task of a configuration; relative paths start at `base_dir`, benchmarks lie in `data_dir`.

        Raises `ConfigError` and `DataError` with one line that names the key, or the file and the row.
        """
        from gpo.task.build import from_config

        return from_config(config, seed=seed, chat=chat, base_dir=base_dir, data_dir=data_dir)

    @classmethod
    def from_rows(cls, rows: Rows, *, name: str = "task", **options: Unpack[TaskOptions]) -> Task:
        """A task from rows in Python, each a mapping of columns: a list that is divided, or a mapping of split to list.

        For a list may stand a data frame: of pandas or polars (a lazy one too), an Arrow table, a `datasets.Dataset`
        (whose classes count by their names); a `DatasetDict` is a mapping of splits. Options are the keys of the
        configuration's `task` section (`gpo.task.options.TaskOptions`): `input`, `target`, `answer`, `metric`, `split`,
        `position`, `frame`, `demonstrations`, `allow_overlap`; and `seed` and `chat`.
        Raises `ConfigError`, and `DataError` naming the row.
        """
        from gpo.task.build import from_rows

        return from_rows(rows, name=name, **options)

    @classmethod
    def from_program(
        cls, rows: Rows, run: Callable[..., Any], *, name: str = "task", **options: Unpack[ProgramOptions]
    ) -> Task:
        """A task whose rows are answered by a function of the user's: `run(prompts, row, model)`, sync (called in a
        thread) or async.

        `prompts` are texts by name, `row` is the row as it was given. `await model(text_or_messages, temperature=…,
        max_tokens=…, stop=…, seed=…, response_format=…)` (without `await` in a sync function) is the reply as text, as
        often as wanted. Where `identity` names the program it does its own work: it is called as `run(prompts, row)`,
        and its outputs, which must be JSON values, are what is journaled. `metric` is a function of (output, row) to a
        number from 0 to 1, or that and feedback; or a metric's name, for outputs that are text. `input` (a column or a
        template) and `target` (a column) say how a row is shown to the optimizer model. At most `concurrency` runs are
        under way. Other options as in `from_rows`. Raises `ConfigError`, and `DataError` naming the row.
        """
        from gpo.task.build import from_program

        return from_program(rows, run, name=name, **options)

    @classmethod
    def from_frame(cls, table: Any, *, name: str = "task", **options: Unpack[TaskOptions]) -> Task:
        """`from_rows` under the name of a common use: `table` is a data frame, or a mapping of split to data frame."""
        return cls.from_rows(table, name=name, **options)

    @classmethod
    def from_file(cls, path: str | Path | Mapping[str, str | Path], **options: Unpack[TaskOptions]) -> Task:
        """A task from one file that is divided (csv, json, jsonl, parquet), from a folder of split files, or from a
        mapping of split to file; options as in `from_rows`. Raises `ConfigError` and `DataError`."""
        from gpo.task.build import from_data

        return from_data(path, **options)

    @classmethod
    def from_csv(cls, path: str | Path | Mapping[str, str | Path], **options: Unpack[TaskOptions]) -> Task:
        """`from_file` under the name of its commonest use."""
        return cls.from_file(path, **options)

    @classmethod
    def from_jsonl(cls, path: str | Path | Mapping[str, str | Path], **options: Unpack[TaskOptions]) -> Task:
        """`from_file` under the name of another common use."""
        return cls.from_file(path, **options)

    def _divided(self, prompt: str) -> tuple[str, Sequence[Example]]:
        """The words of `prompt`, and all worked examples: the task's, then the prompt's own."""
        if BEGIN not in prompt:
            return prompt, self.demos
        words, own = split_prompt(prompt)
        return words, (*self.demos, *(item.example for item in own))

    @cached_property
    def _place(self) -> PromptPlace:
        frame = self.frame or ("plain" if self.chat else "qa")
        return PromptPlace(self.position, frame, self.chat, self.input_columns, self.parts)

    def _layout(self, prompt: str, example: Example) -> Layout:
        return self._place.lay_out(prompt, example.input, example.fields)
