"""A data file as a task: rows read once, columns and answers found, splits that fit. It asks nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpo.errors import ConfigError, DataError
from gpo.task.files.rows import Row, read_file
from gpo.task.load import read_folder, split_files
from gpo.task.prompt import Position, find_placeholders
from gpo.task.proposal.answers import ProposedAnswer, propose_answer
from gpo.task.proposal.columns import cells
from gpo.task.proposal.sizes import propose_split
from gpo.task.splits import Columns

_LONGEST_LIST = 400
"""Characters of labels that a first prompt lists."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of `path`; `divided` says that it has splits of its own."""

    path: Path
    rows: Sequence[Row]
    divided: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file may be as a task. `split` is None where the file is divided already; `different` counts the rows
    whose input no earlier row has; `prompt` is one to start from, at `position`."""

    found: Found
    input: str
    target: str
    answer: ProposedAnswer
    split: Mapping[str, int | float] | None
    different: int
    prompt: str
    position: Position = "question_end"

    @property
    def stratified(self) -> bool:
        """Whether rows are to be dealt by their labels."""
        return (
            self.split is not None
            and not self.found.divided
            and self.answer.kind in ("label", "boolean", "choice")
        )


def read_data(path: Path) -> Found:
    """All rows of a file, or of a folder of split files. Raises `ConfigError` and `DataError`."""
    if path.is_dir():
        return Found(path, [row for part in read_folder(path).values() for row in part], divided=True)
    rows = read_file(path)
    if isinstance(rows, dict):
        return Found(path, [row for part in rows.values() for row in part], divided=True)
    if not rows:
        raise DataError(f"{path}: has no rows")
    return Found(path, rows)


def holds_data(path: Path) -> bool:
    """Whether `path` is data to begin with, and no folder that an example is to be written into."""
    if path.is_dir():
        try:
            return bool(split_files(path))
        except ConfigError:
            return True
    return path.exists() or bool(path.suffix)


def propose(found: Found, input_: str, target: str) -> Proposal:
    """The task with these columns. Raises `DataError` naming a row without an input or a target."""
    targets = cells(found.rows, target)
    if not targets:
        raise DataError(f"{found.path}: the column {target!a} is empty")
    plain = Columns(input_, target)
    for row in found.rows:
        plain.expected(row)
    questions = [plain.question(row) for row in found.rows]
    answer = propose_answer(targets, questions)
    different = len(set(questions))
    split = None if found.divided else propose_split(different)
    return Proposal(found, input_, target, answer, split, different, first_prompt(answer, target))


def first_prompt(answer: ProposedAnswer, target: str) -> str:
    """A prompt that asks for such an answer, the value of the column `target`."""
    listed = ", ".join(answer.labels)
    match answer.kind:
        case "label" if len(listed) <= _LONGEST_LIST and not find_placeholders(listed):
            return f"Which of these is right: {listed}? Answer with one of them and nothing else."
        case "label":
            return f"What is the {_word(target, 'label')}? Answer with it and nothing else."
        case "boolean":
            return f"Answer with {answer.why.removeprefix('every answer is ')} and nothing else."
        case "choice":
            return "Which option is right? Answer with its letter and nothing else."
        case "number":
            return "What is the answer? Answer with the number and nothing else."
        case _:
            return f"Write the {_word(target, 'answer')} and nothing else."


def _word(name: str, otherwise: str) -> str:
    """A column's name as a word of a sentence; what could be a placeholder or markup is none."""
    known = {"target": otherwise, "label": otherwise, "output": "answer", "y": otherwise}
    word = known.get(name.lower(), name.replace("_", " "))
    return word if re.fullmatch(r"[\w ]{1,40}", word) else otherwise
