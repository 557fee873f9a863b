"""A task: examples, how a prompt meets an example, how an answer is read and how it is scored.

Knows no optimizer: `Task` turns (prompt, example) into messages and a reply into a value, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpo.config.schema import AnswerConfig, Position, TaskConfig
from gpo.errors import DataError
from gpo.model.model import Message
from gpo.task import load
from gpo.task.answer import AnswerReader, Prediction, answer_reader
from gpo.task.answer.text import TextReader
from gpo.task.answer.words import WordsReader
from gpo.task.example import Example, Splits
from gpo.task.metric import ExactMatch, Metric, open_metric
from gpo.task.prompt import fill, placeholders, question
from gpo.task.rows import Row, read_rows

Opening = tuple[Message, ...] | str
"""A chat, or a text to continue for a base model."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was read from a reply (None: unreadable) and its value in 0..1 (0 where unreadable)."""

    prediction: Prediction
    value: float


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is optimized for.

    `rounds` 2 asks for the bare answer in a second turn; `demonstrations` are worked examples before the question (then
    there is one round); `chat` False is for base models, which continue a text. `warnings` are for a person.
    """

    name: str
    splits: Splits
    answer: AnswerReader = field(default_factory=TextReader)
    metric: Metric = field(default_factory=ExactMatch)
    rounds: int = 1
    position: Position = "question_end"
    demonstrations: int = 0
    chat: bool = True
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_config(
        cls, config: TaskConfig, *, seed: int = 0, chat: bool = True, base_dir: Path = Path()
    ) -> Task:
        """Read the data that `config` names. Raises `ConfigError` and `DataError` in one line."""
        if isinstance(config.data, str) and config.data.startswith("gpo/"):
            from gpo.task.builtin import load as load_builtin

            items, defaults = load_builtin(config.data.removeprefix("gpo/"), seed=seed, split=config.split)
            given = config.model_fields_set
            update = {
                key: value
                for key, value in defaults.items()
                if key in TaskConfig.model_fields and key not in given
            }
            config = TaskConfig.model_validate({**config.model_dump(exclude_unset=True), **update})
            rows = {name: load.as_rows(part, f"{config.data} {name}") for name, part in items.items()}
        else:
            rows = load.split_rows(config.data, config.split, seed=seed, base_dir=base_dir)
        name = config.data if isinstance(config.data, str) else Path(config.data.get("train", "task")).stem
        return cls._build(name, rows, config, chat=chat)

    @classmethod
    def from_csv(cls, path: str | Path, **options: Any) -> Task:
        """Rows of one CSV file, cut into splits. Options as for `from_rows`."""
        return cls._from_read(read_rows(Path(path)), Path(path).stem, options)

    @classmethod
    def from_jsonl(cls, path: str | Path, **options: Any) -> Task:
        """Rows of one JSON Lines file, cut into splits. Options as for `from_rows`."""
        return cls._from_read(read_rows(Path(path)), Path(path).stem, options)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Mapping[str, Any]]],
        *,
        name: str = "task",
        input: str = "input",
        target: str = "target",
        answer: Mapping[str, Any] | AnswerReader | None = None,
        metric: str | Callable[..., Any] = "exact_match",
        position: Position = "question_end",
        demonstrations: int = 0,
        split: Mapping[str, int] | None = None,
        seed: int = 0,
        chat: bool = True,
        allow_overlap: bool = False,
    ) -> Task:
        """A task from mappings: one list that is cut into splits with `seed`, or a mapping of split to rows.

        `answer` is the configuration's section as a mapping or an own reader, `metric` a name or a function.
        Raises `ConfigError` and `DataError`.
        """
        if isinstance(rows, Mapping):
            parts = {part: load.as_rows(list(items), f"{name} {part}") for part, items in rows.items()}
        else:
            parts = load.cut(load.as_rows(list(rows), name), split, seed=seed, where=name)
        own_reader = answer if answer is not None and not isinstance(answer, Mapping) else None
        section = dict(answer) if isinstance(answer, Mapping) else {}
        config = TaskConfig(
            data=name,
            input=input,
            target=target,
            answer=AnswerConfig(**section),
            metric=metric if isinstance(metric, str) else "exact_match",
            position=position,
            demonstrations=demonstrations,
            allow_overlap=allow_overlap,
        )
        own_metric = open_metric(metric) if not isinstance(metric, str) else None
        return cls._build(name, parts, config, chat=chat, reader=own_reader, metric=own_metric)

    @classmethod
    def _from_read(cls, rows: Sequence[Row], name: str, options: Mapping[str, Any]) -> Task:
        return cls.from_rows([row.columns for row in rows], **{"name": name, **options})

    @classmethod
    def _build(
        cls,
        name: str,
        rows: Mapping[str, Sequence[Row]],
        config: TaskConfig,
        *,
        chat: bool,
        reader: AnswerReader | None = None,
        metric: Metric | None = None,
    ) -> Task:
        parts = load.examples(rows, input=config.input, target=config.target)
        warnings = load.check_splits(parts, allow_overlap=config.allow_overlap)
        everything = [example for part in parts.values() for example in part]
        reader = reader or _reader(config.answer, everything)
        for example in everything:
            try:
                reader.normal(_single(example), example.input)
            except ValueError as error:
                raise DataError(f"{example.source}: {config.target}: {error}") from None
        return cls(
            name=name,
            splits=Splits(**parts),
            answer=reader,
            metric=metric or open_metric(config.metric),
            # Demonstrations show the form of an answer, so a second turn has nothing to ask for.
            rounds=1 if config.demonstrations else config.answer.rounds,
            position=config.position,
            demonstrations=config.demonstrations,
            chat=chat,
            warnings=tuple(warnings),
        )

    def examples(self, split: str) -> Sequence[Example]:
        """The examples of a split by its name."""
        found: Sequence[Example] = getattr(self.splits, split)
        return found

    def opening(self, prompt: str, example: Example) -> Opening:
        """The first round: a chat, or a text to continue where `chat` is False."""
        system, asked = self._asked(prompt, example)
        shown = [(self._asked(prompt, demo)[1], self.target_text(demo)) for demo in self._demos()]
        if not self.chat:
            blocks = [*(f"{text} {answer}" for text, answer in shown), asked]
            return "\n\n".join([system, *blocks] if system else blocks)
        turns = [Message("system", system)] if system else []
        for text, answer in shown:
            turns += [Message("user", text), Message("assistant", answer)]
        return (*turns, Message("user", asked))

    def closing(self, opening: Opening, reply: str) -> Opening | None:
        """The second round, which asks for the bare answer; None where there is one round."""
        if self.rounds == 1:
            return None
        if isinstance(opening, str):
            return f"{opening}{reply.rstrip()}{self.answer.continuation}"
        return (*opening, Message("assistant", reply), Message("user", self.answer.request))

    def judge(self, reply: str, example: Example) -> Judgement:
        """Read the last round's reply and score it. Raises `DataError` where an own metric fails."""
        prediction = self.read(reply, example)
        if prediction is None:
            return Judgement(None, 0.0)
        return Judgement(prediction, self.metric.score(prediction, self._expected(example), example))

    def read(self, reply: str, example: Example) -> Prediction:
        """The answer in a reply, None where it is unreadable."""
        return self.answer.read(reply, example.input)

    def score(self, reply: str, example: Example) -> float:
        """The value of a reply in 0..1."""
        return self.judge(reply, example).value

    def with_slot(self, example: Example, slot: str = "<Prompt>") -> str:
        """The example as the task model sees it, with `slot` where the prompt would stand, and the expected answer."""
        if self.position == "system":
            return f"{slot}\nQ: {example.input}\nA: {self.target_text(example)}"
        asked = question(slot, example.input, self.position)
        return f"{asked} {self.target_text(example)}"

    def target_text(self, example: Example) -> str:
        """The expected answer as text; the first one where there are several references."""
        first = _single(example)
        normal = self.answer.normal(first, example.input)
        if isinstance(normal, float):
            return f"{normal:.15g}"
        return " ".join(normal) if isinstance(normal, tuple) else str(first).strip()

    @property
    def answer_form(self) -> str:
        """What an answer is, in words that complete "each answer is …"."""
        return self.answer.form

    @property
    def answer_texts(self) -> tuple[str, ...]:
        """Distinct expected answers of train and dev, which are no prompts."""
        parts = (self.splits.train, self.splits.dev)
        return tuple(dict.fromkeys(self.target_text(example) for part in parts for example in part))

    @property
    def stop(self) -> tuple[str, ...]:
        """Where a base model is cut off: it would go on with a question of its own."""
        return () if self.chat else ("\nQ:",)

    @property
    def prompt_leads(self) -> bool:
        """True where the prompt stands before the question, so that the examples of one prompt share a prefix."""
        return self.position in ("before_question", "question_begin", "system") or self.demonstrations > 0

    def _expected(self, example: Example) -> Prediction:
        if isinstance(example.target, tuple) and not isinstance(self.answer, WordsReader):
            return tuple(str(self.answer.normal(reference, example.input)) for reference in example.target)
        return self.answer.normal(_single(example), example.input)

    def _demos(self) -> Sequence[Example]:
        pool = self.splits.demos or self.splits.train
        return pool[: self.demonstrations]

    def _asked(self, prompt: str, example: Example) -> tuple[str, str]:
        """The system text and the question's text."""
        names = set(placeholders(prompt)) & set(example.fields)
        filled = fill(prompt, example.fields)
        whole = any(example.fields[name] == example.input for name in names)
        if self.position == "system" and not whole:
            return filled, example.input if self.chat else question("", example.input, "system")
        # A prompt that holds the question itself is the whole template: the question is not added again.
        return "", filled if whole else question(filled, example.input, self.position)


def _reader(config: AnswerConfig, examples: Sequence[Example]) -> AnswerReader:
    return answer_reader(
        config.kind, labels=config.labels, targets=[_single(example) for example in examples]
    )


def _single(example: Example) -> str | float:
    """The target, the first one where there are several references."""
    return example.target[0] if isinstance(example.target, tuple) else example.target
