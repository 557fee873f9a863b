"""A task file of lm-evaluation-harness for `gpo init`: its rows as a data file, and what is to be done with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError
from gpo.integrations.lm_eval import HarnessTask, read_task
from gpo.integrations.lm_eval.yaml_file import read_yaml
from gpo.task.files.rows import Row
from gpo.task.load import Loaded, load_rows
from gpo.task.prompt import find_placeholders
from gpo.task.proposal.answers import ProposedAnswer
from gpo.task.proposal.proposal import Found, Proposal, first_prompt
from gpo.task.proposal.sizes import propose_part_sizes, propose_split


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessStart:
    """`text` is the data file to be written at `proposal.found.path`, `loaded` what is read from it; `notes` say what
    of the harness's file was not taken."""

    proposal: Proposal
    text: str
    loaded: Loaded
    notes: tuple[str, ...]


def is_harness_file(path: Path | None) -> bool:
    """Whether `path` is called like a YAML file."""
    return path is not None and path.suffix.lower() in (".yaml", ".yml")


def read_harness(path: Path, data: str | None, folder: Path) -> HarnessStart:
    """The task of the harness's file `path`; its rows will lie in `folder`. Raises `ConfigError` and `DataError`."""
    keys = read_yaml(path)
    if isinstance(keys.get("task"), Mapping) or "models" in keys:
        raise ConfigError(f"{path}: is a configuration of GPO already (gpo optimize {path})")
    if not keys.keys() & {"doc_to_text", "output_type", "group", "task"}:
        raise ConfigError(
            f"{path}: is no task of lm-evaluation-harness; gpo init takes those, or a file of rows"
        )
    found = read_task(path, data)
    divided = set(found.rows) != {"rows"}
    rows = found.rows if divided else found.rows["rows"]
    stem = re.sub(r"[^\w-]+", "-", found.name).strip("-") or "rows"
    loaded = load_rows(rows, found.name)
    every = [*(loaded.pool or ()), *(row for part in loaded.splits.values() for row in part)]
    name = folder / f"{stem}.{'json' if divided else 'jsonl'}"
    return HarnessStart(
        proposal=_propose(found, Found(name, every, divided)),
        text=_write_splits(found.rows) if divided else _write_lines(found.rows["rows"]),
        loaded=loaded,
        notes=found.notes,
    )


def _propose(task: HarnessTask, found: Found) -> Proposal:
    different = len({str(row.values["input"]) for row in found.rows})
    answer = _answer(task, found.rows)
    sizes = {name: len(part) for name, part in task.rows.items()}
    own = task.prompt if task.prompt and not find_placeholders(task.prompt) else ""
    return Proposal(
        found,
        "input",
        "target",
        answer,
        propose_part_sizes(sizes) if found.divided else propose_split(different),
        different,
        own or first_prompt(answer, "target"),
        position="before_question",  # as the harness's description, which the question's "Answer:" follows
    )


def _answer(task: HarnessTask, rows: Sequence[Row]) -> ProposedAnswer:
    kind, labels = task.answer["kind"], tuple(task.answer.get("labels", ()))
    why = {
        "choice": "the letter of a choice",
        "label": f"{len(labels)} choices, the same in all rows",
        "number": "every target is a number",
    }.get(kind, "generate_until")
    return ProposedAnswer(kind, task.metric, why, labels)


def _write_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _write_splits(splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """One JSON file of several splits, a line a row."""
    parts = (
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"
        for name, rows in splits.items()
    )
    return "{" + ",\n".join(parts) + "}\n"
