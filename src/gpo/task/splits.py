"""Makes checked splits of examples from rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpo.errors import ConfigError, DataError
from gpo.task.example import Example, Splits, Target
from gpo.task.files.cell import read_value
from gpo.task.files.rows import Row
from gpo.task.load import SPLITS
from gpo.task.prompt import fill, find_placeholders

FEW_ROWS = 10
"""A dev split under this many rows can hardly tell two prompts apart."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a row holds what: `input` is a column or a template with columns in braces, `target` a column.

    `lettered` renders a list as lettered options and not as bullets. `words` says that a list of single words is one
    answer and not several references; `as_json` that a target is one JSON value, whatever it is.
    """

    input: str
    target: str
    lettered: bool = False
    words: bool = False
    as_json: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that the question is made of."""
        return find_placeholders(self.input) or (self.input,)

    @property
    def template(self) -> str:
        """The question with every column that it is made of in braces; `{input}` where its name cannot stand there."""
        if find_placeholders(self.input):
            return self.input
        column = f"{{{self.input}}}"
        return column if find_placeholders(column) == (self.input,) else "{input}"

    def question(self, row: Row) -> str:
        """The rendered input. Raises `ConfigError` naming a column that the row lacks, and `DataError` where the input
        is empty."""
        texts = {name: self._text(row, name) for name in self.inputs}
        question = fill(self.input, texts) if find_placeholders(self.input) else texts[self.input]
        if not question.strip():
            raise DataError(f"{row.source}: the input is empty")
        return question

    def expected(self, row: Row) -> Target:
        """The target. Raises like `question`."""
        value = _cell(row, self.target, "target")
        if self.as_json:
            if value is None or not str(value).strip():
                return self._reference(value, row)
            return (
                value
                if isinstance(value, str)
                else json.dumps(read_value(value), ensure_ascii=False, default=str)
            )
        if isinstance(value, list | tuple):
            parts = [self._reference(part, row) for part in value]
            texts = [str(part) for part in parts]
            if self.words and parts and all(len(text.split()) == 1 for text in texts):
                return " ".join(texts)
            if not parts:
                raise DataError(f"{row.source}: the target is an empty list")
            return tuple(texts) if len(parts) > 1 else parts[0]
        return self._reference(value, row)

    def label(self, row: Row) -> str:
        """The target's cell as text, "" where there is none: what rows are dealt by."""
        return render_cell(read_value(row.values.get(self.target)))

    def fields(self, row: Row, question: str) -> dict[str, str]:
        """All columns as text for placeholders, but never the target (a prompt could ask for the
        answer); `input` is the whole question."""
        texts = {name: self._text(row, name) for name in row.values if name != self.target}
        texts["input"] = question
        return texts

    def _text(self, row: Row, name: str) -> str:
        return render_cell(_cell(row, name, "input"), lettered=self.lettered)

    def _reference(self, value: Any, row: Row) -> str | float:
        if value is None or not str(value).strip():
            raise DataError(
                f"{row.source}: the target is empty (blank, None or NaN); fill it in, or take the row out"
            )
        if isinstance(value, list | dict | bytes):
            raise DataError(f"{row.source}: the target is {type(value).__name__}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        return clean(str(value))


def rules_of(kind: str) -> dict[str, bool]:
    """How `Columns` reads the rows of answers of `kind`."""
    return {"lettered": kind == "choice", "words": kind == "words", "as_json": kind == "json"}


def make_examples(rows: Mapping[str, Sequence[Row]], columns: Columns) -> dict[str, list[Example]]:
    """The examples of every split. An `id` column names them where it is unique; else split and row number do. Test
    rows have no say in what the others are called."""
    learnt = [_id(row) for name, part in rows.items() if name != "test" for row in part]
    own = {name: _unique(learnt) for name in rows}
    own["test"] = _unique([*learnt, *map(_id, rows.get("test", ()))])
    return {
        name: [
            _example(row, _id(row) if own[name] else f"{name}:{n}", columns) for n, row in enumerate(part, 1)
        ]
        for name, part in rows.items()
    }


def check_splits(found: Mapping[str, Sequence[Example]], *, allow_overlap: bool) -> tuple[Splits, list[str]]:
    """The splits and warnings. Raises `ConfigError` for a missing or empty split and for test rows that
    stand in another split too."""
    for name in ("train", "dev", "test"):
        if not found.get(name):
            state = "is empty" if name in found else "is missing"
            raise ConfigError(
                f"task.data: the {name} split {state}; every task needs train, dev and test rows"
            )
    if not allow_overlap:
        _check_overlap(found)
    warnings = []
    if (size := len(found["dev"])) < FEW_ROWS:
        warnings.append(
            f"the dev split has {size} rows; with fewer than {FEW_ROWS} the choice of a prompt is mostly luck"
        )
    return Splits(**{name: tuple(found.get(name, ())) for name in SPLITS}), warnings


def render_cell(value: Any, *, lettered: bool = False) -> str:
    """A cell as text: a list becomes a line an entry, {"text": [...], "label": [...]} lettered options."""
    if value is None:
        return ""
    if (
        isinstance(value, dict)
        and isinstance(value.get("text"), list)
        and isinstance(value.get("label"), list)
    ):
        return _options(value["text"], [clean(str(label)) for label in value["label"]])
    if isinstance(value, list | tuple) and not any(isinstance(part, list | tuple | dict) for part in value):
        if lettered and len(value) <= 26:
            return _options(value, [chr(ord("A") + n) for n in range(len(value))])
        return "\n".join(f"- {clean(str(part))}" for part in value)
    if isinstance(value, list | tuple | dict):
        try:
            return clean(json.dumps(value, ensure_ascii=False, default=str))
        except (RecursionError, TypeError, ValueError):  # TypeError: keys that are no text
            return ""
    return clean(str(value))


def clean(text: str) -> str:
    """`text` without NUL bytes, and with a replacement character for each lone surrogate: neither survives a wire."""
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def _id(row: Row) -> str:
    value = read_value(row.values.get("id"))
    return "" if value is None else clean(str(value))


def _unique(ids: Sequence[str]) -> bool:
    return "" not in ids and len(ids) == len(set(ids))


def _options(texts: Iterable[Any], labels: Iterable[str]) -> str:
    return "\n".join(f"({label}) {clean(str(text))}" for label, text in zip(labels, texts, strict=False))


def _example(row: Row, identifier: str, columns: Columns) -> Example:
    question = columns.question(row)
    return Example(identifier, question, columns.expected(row), columns.fields(row, question), row.source)


def _cell(row: Row, name: str, key: str) -> Any:
    if name not in row.values:
        names = [one if len(one) <= 40 else one[:40] + "…" for one in sorted(row.values)]
        have = ", ".join([*names[:20], *(["…"] if len(names) > 20 else [])]) or "none"
        raise ConfigError(f"task.{key}: {row.source} has no column {name!r}; it has: {have}")
    return read_value(row.values[name])


def _check_overlap(found: Mapping[str, Sequence[Example]]) -> None:
    seen = {
        _key(example): example
        for name in ("demos", "format", "dev", "train")
        for example in found.get(name, ())
    }
    for example in found["test"]:
        if other := seen.get(_key(example)):
            raise ConfigError(
                f"task.data: the test row {example.source} has the same input as {other.source}; take it out, or set "
                "task.allow_overlap: true"
            )


def _key(example: Example) -> str:
    return " ".join(example.input.split())
