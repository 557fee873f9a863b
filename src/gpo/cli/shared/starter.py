"""The configuration that `gpo init FILE` writes: a commented YAML file, made of a proposal and checked before it is
written. Asks nobody."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gpo.task.proposal.proposal import Proposal
from gpo.text import shorten

SCHEMA_FILE = "gpo.schema.json"
LOCAL = "local/qwen2.5-coder-1.5b"
"""The model where none is named: it runs on this machine and needs no key."""
_STEPS = 6
_KINDS = "label | choice | number | boolean | words | text"
_PLAIN = re.compile(r"[A-Za-z./][\w./-]*(?: [A-Za-z][\w./-]*)*", flags=re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterModels:
    """The two roles as they were named."""

    task: str
    optimizer: str
    base_url: str | None = None
    api_key_env: str | None = None


def starter_config(
    proposal: Proposal, models: StarterModels, folder: Path, name: str, method: str = "gpo"
) -> str:
    """The text of `FOLDER/NAME`, whose paths begin at `folder`; `method` as it stands in YAML."""
    data = _relative(proposal.found.path, folder)
    answer = proposal.answer
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        f"# A run of GPO, made of {shorten(proposal.found.path.name, 60)}: gpo optimize {name}",
        "task:",
        _line(f"  data: {_scalar(data)}", "csv, tsv, json, jsonl, parquet, or a folder of split files"),
        *_split_lines(proposal),
        _line(f"  input: {_scalar(proposal.input)}", 'a column, or a template such as "{subject}\\n{body}"'),
        _line(f"  target: {_scalar(proposal.target)}", "the column of the right answer"),
        *_answer_lines(proposal),
        _line(f"  metric: {answer.metric}", "exact_match | rouge_l | package.module:function"),
        _line(
            f"  position: {proposal.position}", "or question_begin, question_end, before_question, system, …"
        ),
        "# Where the search begins; put in the prompt that you use today.",
        f"prompt: {_scalar(proposal.prompt)}",
        _line(
            "models:", "openai/NAME, local/NAME (gpo models list), a .gguf file, or any NAME with a base_url"
        ),
        *_model_lines("task", models.task, models, answer.kind),
        *_model_lines("optimizer", models.optimizer, models, ""),
        _line(f"method: {method}", "gpo, gpo+, ape, apo, opro, pe2, or own parts"),
        _line(f"optimize: {_optimize(proposal)}", "more epochs search longer"),
        _line("evaluation: full", "racing scores weak candidates on a part of dev only"),
        "# budget: {max_calls: 5000}    # or max_tokens, max_usd, max_seconds (gpo optimize --estimate)",
        "seed: 0",
    ]
    return "\n".join(lines) + "\n"


def _split_lines(proposal: Proposal) -> list[str]:
    if proposal.split is None:
        return []
    sizes = ", ".join(f"{name}: {size:g}" for name, size in proposal.split.items())
    shares = any(isinstance(size, float) for size in proposal.split.values())
    kept = " of the rows, each with the same mix of answers" if proposal.stratified else " of the rows"
    lines = [_line(f"  split: {{{sizes}}}", f"shares{kept}" if shares else "rows, drawn with the seed")]
    if proposal.stratified and not shares:
        lines.append(_line("  stratify: true", "the same mix of answers in each"))
    return lines


def _answer_lines(proposal: Proposal) -> list[str]:
    answer = proposal.answer
    if not answer.labels:
        return [_line(f"  answer: {{kind: {answer.kind}}}", f"{_KINDS}; {answer.why}")]
    labels = ", ".join(map(_scalar, answer.labels))
    return [
        _line("  answer:", _KINDS),
        f"    kind: {answer.kind}",
        f"    labels: [{labels}]",
    ]


def _model_lines(role: str, model: str, models: StarterModels, kind: str) -> list[str]:
    keys: dict[str, Any] = {"model": model, "base_url": models.base_url, "api_key_env": models.api_key_env}
    if model.startswith("local/") and kind in ("label", "boolean", "choice", "number"):
        keys["max_tokens"] = 16
    said = ", ".join(f"{key}: {_scalar(value)}" for key, value in keys.items() if value is not None)
    return [f"  {role}: {{{said}}}"]


def _optimize(proposal: Proposal) -> str:
    train = round((proposal.split or {}).get("train", 0) * _rows(proposal.split, proposal.different))
    batch = max(1, -(-train // _STEPS)) if train else 8
    return f"{{epochs: 1, batch_size: {batch}, candidates: 8}}"


def _rows(split: Mapping[str, int | float] | None, different: int) -> int:
    """What a share is a share of; counts are what they are."""
    return different if any(isinstance(size, float) for size in (split or {}).values()) else 1


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.resolve().as_posix()


def _scalar(value: object) -> str:
    """A value as it may stand in a line or between brackets: bare where that is read as the same text, else quoted."""
    text = str(value)
    if isinstance(value, int):
        return text
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)
    return quoted.rstrip("\n")


def _line(text: str, comment: str) -> str:
    return f"{text:<32} # {comment}"


def describe(proposal: Proposal, counts: Sequence[int]) -> list[str]:
    """What was found, a line each, for a person; `counts` are the rows of train, dev and test."""
    from gpo.task.proposal.columns import column_names

    answer, rows = proposal.answer, proposal.found.rows
    names = [shorten(name, 24) for name in column_names(rows)]
    labels = f" ({shorten(', '.join(answer.labels), 44)})" if answer.labels else ""
    mixed = ", the same mix of answers in each" if proposal.stratified else ""
    return [
        f"{'rows':<9}{len(rows):,} in {shorten(str(proposal.found.path), 50)}",
        f"{'columns':<9}{shorten(', '.join(names), 68)}",
        f"{'input':<9}{shorten(proposal.input.replace(chr(10), ' ⏎ '), 68)}",
        f"{'target':<9}{shorten(proposal.target, 68)}",
        f"{'answer':<9}{answer.kind}: {answer.why}{labels}",
        f"{'metric':<9}{answer.metric}",
        f"{'split':<9}train {counts[0]}, dev {counts[1]}, test {counts[2]}{mixed}",
    ]
