"""Which columns of a file hold the input and the expected answer, as far as their names and cells tell.

Guesses nothing: where two columns may be meant, it says so and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gpo.errors import ConfigError
from gpo.task.files.cell import read_value
from gpo.task.files.rows import Row
from gpo.task.prompt import find_placeholders
from gpo.text import shorten

# Groups of names that say the same; an earlier group says it more clearly than a later one.
_TARGETS = (
    ("target", "label", "answer", "expected", "expected_output", "expected_answer", "ideal", "gold", "ground_truth"),
    ("reference", "references", "targets", "answers", "labels", "correct_answer", "correct", "gold_answer"),
    ("category", "class", "queue", "intent", "sentiment", "topic", "tag", "department", "priority", "rating", "score"),
    ("summary", "output", "response", "reply", "completion", "solution", "translation", "result", "y"),
)  # fmt: skip
_INPUTS = (
    ("input", "prompt", "question", "query", "problem"),
    ("text", "message", "body", "content", "email", "ticket", "review", "sentence", "utterance", "document", "article"),
    ("instruction", "comment", "tweet", "post", "description", "source", "passage", "context", "title", "subject", "x"),
)  # fmt: skip
_TOGETHER = (
    (("question", "choices"), "{{{0}}}\n{{{1}}}"),
    (("question", "options"), "{{{0}}}\n{{{1}}}"),
    (("context", "question"), "{{{0}}}\n\n{{{1}}}"),
    (("passage", "question"), "{{{0}}}\n\n{{{1}}}"),
    (("instruction", "input"), "{{{0}}}\n\n{{{1}}}"),
    (("premise", "hypothesis"), "Premise: {{{0}}}\nHypothesis: {{{1}}}"),
    (("subject", "body"), "{{{0}}}\n{{{1}}}"),
    (("title", "body"), "{{{0}}}\n{{{1}}}"),
    (("title", "text"), "{{{0}}}\n{{{1}}}"),
    (("subject", "message"), "{{{0}}}\n{{{1}}}"),
)
"""Columns that are one question together."""
_FEW = 30
"""Different cells of a column that may be labels, at most."""


class Undecided(Exception):
    """`key` (target or input) may be any of `names`; `why` is for a person."""

    def __init__(self, key: str, names: tuple[str, ...], why: str) -> None:
        super().__init__(why)
        self.key, self.names, self.why = key, names, why


def column_names(rows: Sequence[Row]) -> tuple[str, ...]:
    """The columns in the order of the file, those of later rows behind. Ones without a name are left out."""
    return tuple(dict.fromkeys(name for row in rows for name in row.values if name.strip()))


def find_target(rows: Sequence[Row]) -> str:
    """The column of the expected answer: by its name, else the only one whose cells may be labels. Raises
    `Undecided`."""
    names = column_names(rows)
    if found := _by_name(names, _TARGETS):
        if len(found) == 1:
            return found[0]
        raise Undecided("target", found, "more than one column may hold the right answer")
    few = tuple(name for name in names if _may_be_labels(rows, name))
    if len(few) == 1 and len(names) > 1:
        return few[0]
    raise Undecided("target", few or names, "no column is called like a right answer")


def find_input(rows: Sequence[Row], target: str) -> str:
    """The column of the input, or a template of columns that belong together. Raises `Undecided`."""
    names = tuple(name for name in column_names(rows) if name != target)
    folded = {_folded(name): name for name in names}
    for parts, template in _TOGETHER:
        if all(part in folded for part in parts):
            own = [folded[part] for part in parts]
            if all(find_placeholders(f"{{{name}}}") == (name,) for name in own):
                return template.format(*own)
    if found := _by_name(names, _INPUTS):
        if len(found) == 1:
            return found[0]
        raise Undecided("input", found, f"more than one column may be the input{_several(found)}")
    texts = tuple(name for name in names if _is_text(rows, name))
    if len(texts) == 1 or len(names) == 1:
        return (texts or names)[0]
    raise Undecided("input", texts or names, f"no column is called like an input{_several(texts or names)}")


def _several(names: Sequence[str]) -> str:
    """How the first two would be named together, where a shell leaves both as they are."""
    first = [name for name in names if name.isidentifier()][:2]
    template = "\\n".join(f"{{{name}}}" for name in first)
    return f' (several go as a template, such as "{template}")' if len(first) > 1 else ""


def check_target(name: str, rows: Sequence[Row]) -> str:
    """`name` where it is a column. Raises `ConfigError`."""
    if name not in column_names(rows):
        raise ConfigError(f"--target {name!a}: there is no such column; {list_names(column_names(rows))}")
    return name


def check_input(text: str, rows: Sequence[Row]) -> str:
    """`text` where it is a column or a template of columns, whose `\\n` are line breaks: a shell hands them on as they
    were typed. Raises `ConfigError`."""
    known = column_names(rows)
    if find_placeholders(text):
        text = text.replace("\\n", "\n")
    for name in find_placeholders(text) or (text,):
        if name not in known:
            raise ConfigError(
                f"--input {shorten(text, 60)!a}: there is no column {name!a}; {list_names(known)}"
            )
    return text


def list_names(names: Iterable[str]) -> str:
    """ "the columns are …", for a message."""
    shown = [shorten(name, 40) for name in names]
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    return f"the columns are {', '.join(shown[:12]) or 'none'}{more}"


def cells(rows: Sequence[Row], name: str) -> list[Any]:
    """The cells of a column that are not empty, as a person sees them."""
    found = (read_value(row.values.get(name)) for row in rows)
    return [value for value in found if value is not None and str(value).strip()]


def _by_name(names: Sequence[str], groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The columns of the first group that has any."""
    for group in groups:
        if found := tuple(name for name in names if _folded(name) in group):
            return found
    return ()


def _folded(name: str) -> str:
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


def _may_be_labels(rows: Sequence[Row], name: str) -> bool:
    texts = [str(value) for value in cells(rows, name)]
    different = set(texts)
    return 2 <= len(different) <= min(_FEW, len(texts) // 3) and max(map(len, different)) <= 60


def _is_text(rows: Sequence[Row], name: str) -> bool:
    """Whether its cells are words, three or more in most."""
    words = sorted(len(str(value).split()) for value in cells(rows, name)[:200])
    return bool(words) and words[len(words) // 2] >= 3
