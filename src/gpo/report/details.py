"""What the page's script looks up: steps and candidates with their texts, and the grid of examples by prompts.

Texts are untrusted; `gpo.report.embed` makes them safe to carry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpo.report.charts.curve import value_of
from gpo.report.scores import SPLITS, SplitTable, split_table
from gpo.report.views import CandidateView, RunView, StepView
from gpo.result.part_changes import changed_parts
from gpo.run.journal_writer import PROGRAM
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedCall, RecordedScore
from gpo.text import shorten

_MOST_REPLIES, _BEGINNING = 2000, 80
"""Unreadable replies whose beginning the table shows, and its characters."""
_KINDS = {"same": "=", "removed": "-", "added": "+"}


def collect_details(run: RunView, reader: JournalReader) -> dict[str, Any]:
    """Everything but the exchanges, as JSON values."""
    prompts = run.chosen_prompts()
    tables = [split_table(reader, prompts, split) for split in SPLITS]
    grid = build_grid(run, prompts, tables)
    _add_unreadable_replies(reader, tables, grid)
    return {
        "initial": {"prompt": run.initial_prompt, "dev": run.initial_dev},
        "best": run.best_prompt,
        "steps": [_step(step) for step in run.steps],
        "grid": grid,
    }


def build_grid(run: RunView, prompts: Sequence[str], tables: Sequence[SplitTable]) -> dict[str, Any]:
    """`prompts` with their names; for each split the examples, each with one entry a prompt: null where it was not
    scored, else [value or null, unreadable, what was read]."""
    return {
        "prompts": [
            {"name": name, "text": text}
            for name, text in zip(name_prompts(run, prompts), prompts, strict=True)
        ],
        "initial": 0,
        "best": prompts.index(run.best_prompt),
        "splits": [
            {
                "split": table.split,
                "rows": [
                    {
                        "id": key,
                        "question": _question(table, key, 0),
                        "expected": _question(table, key, 1),
                        "cells": [_cell(row.get(index)) for index in range(len(prompts))],
                    }
                    for key, row in table.rows.items()
                ],
            }
            for table in tables
            if table.rows
        ],
    }


def _add_unreadable_replies(
    reader: JournalReader, tables: Sequence[SplitTable], grid: Mapping[str, Any]
) -> None:
    """Put the beginning of the reply into the cells of the initial and the best prompt where nothing could be read from
    it, as a fourth entry; of the first ones alone where there are very many."""
    parts = {part["split"]: part["rows"] for part in grid["splits"]}
    wanted: list[tuple[list[Any], str]] = []
    for table in tables:
        for scores, row in zip(table.rows.values(), parts.get(table.split, ()), strict=True):
            for index in sorted({grid["initial"], grid["best"]}):
                score = scores.get(index)
                if score is not None and score.unreadable and score.calls:
                    wanted.append((row["cells"][index], score.calls[-1]))
    del wanted[_MOST_REPLIES:]
    keys = list(dict.fromkeys(key for _, key in wanted))
    found = {call.reply.call or "": shorten(call.reply.text, _BEGINNING) for call in reader.calls(keys)}
    for cell, key in wanted:
        if key in found:
            cell.append(found[key])


def name_prompts(run: RunView, prompts: Sequence[str]) -> list[str]:
    """A short name for each chosen prompt: "initial", "step 3", "best (step 5)"."""
    first: dict[str, str] = {}
    for step in run.steps:
        first.setdefault(step.chosen, f"step {step.number + 1}")
    for item in (item for step in run.steps for item in step.candidates):
        first.setdefault(item.prompt, f"step {item.step + 1}")
    found = []
    for index, text in enumerate(prompts):
        name = "initial" if index == 0 else first.get(text, "best")
        if text == run.best_prompt and name != "best":
            name = f"best ({name})"
        found.append(name)
    return found


def diff_words(before: str, after: str) -> tuple[str, list[list[str]]]:
    """The names of the prompts that differ, "" where there is one only, and their pieces [kind, text] with kind "=",
    "-" or "+"; of several that differ each begins with its name."""
    parts = changed_parts(before, after)
    pieces: list[list[str]] = []
    for part in parts:
        if len(parts) > 1:
            pieces.append(["=", f"{chr(10) * 2 if pieces else ''}{part.name}: "])
        pieces += [[_KINDS[piece.kind], piece.text] for piece in part.pieces()]
    return ", ".join(part.name for part in parts), pieces


def _step(step: StepView) -> dict[str, Any]:
    return {
        "part": step.part,
        "limit": step.limit,
        "parent": step.parent,
        "parentDev": step.parent_score,
        "dev": step.chosen_score,
        "best": step.best_score,
        "distance": step.distance,
        "reflection": step.reflection,
        "summary": step.summary,
        "shown": [
            {"prompt": str(point.get("prompt", "")), "dev": point.get("score"), "step": point.get("step")}
            for point in step.trajectory
        ],
        "meta": [[str(turn.get("role", "")), str(turn.get("content", ""))] for turn in step.meta_prompt],
        "candidates": [_candidate(item, step) for item in step.candidates],
    }


def _candidate(item: CandidateView, step: StepView) -> dict[str, Any]:
    names, pieces = diff_words(item.parent, item.prompt)
    return {
        "part": names or None,
        "diff": pieces,
        "raw": item.raw,
        "dev": value_of(item),
        "estimated": item.score is None and item.estimate is not None,
        "estimated_on": item.estimate_rows,
        "distance": item.distance,
        "attempt": item.attempt,
        "rejected": item.rejected,
        "chosen": item.chosen,
        "parent": None if item.parent == step.parent else item.parent,
    }


def _question(table: SplitTable, key: str, place: int) -> str | None:
    pair = table.questions.get(key)
    return None if pair is None else pair[place]


def _cell(score: RecordedScore | None) -> list[Any] | None:
    if score is None:
        return None
    read = score.prediction
    text = ", ".join(map(str, read)) if isinstance(read, list) else None if read is None else str(read)
    return [score.value, int(score.unreadable), text]


def exchanges(reader: JournalReader, scores: Sequence[RecordedScore]) -> list[list[list[str]]]:
    """The whole conversation behind each score, turn by turn as [role, text]; a text that a base model continued has
    the role "text", what the model thought before the last reply "reasoning", and what the metric said "feedback".
    Empty where no call is known."""
    # The calls of a program are no rounds of one conversation.
    if reader.get_meta(PROGRAM) is not None:
        return [_program_turns(reader, score) for score in scores]
    found: dict[str, list[list[str]]] = {}
    # The request of the last call holds the rounds before it; behind it there may be a judge's.
    for place in (-1, -2):
        left = [score.calls for score in scores if not any(key in found for key in score.calls)]
        keys = list(dict.fromkeys(calls[place] for calls in left if len(calls) >= -place))
        calls_ = reader.calls(keys) if keys else ()
        found |= {call.reply.call or "": _turns(call) for call in calls_ if call.role != "judge"}
    told = []
    for score in scores:
        turns = next((found[key] for key in reversed(score.calls) if key in found), [])
        said = reader.feedback(score.prompt_id, score.split, score.example_id) if turns else ""
        told.append([*turns, *([["feedback", said]] if said else [])])
    return told


def _program_turns(reader: JournalReader, score: RecordedScore) -> list[list[str]]:
    """Every call that a program made on a row, in the order of asking, and what was said of its output."""
    calls = {call.reply.call: call for call in reader.calls(list(score.calls))} if score.calls else {}
    turns = [turn for key in score.calls if key in calls for turn in _turns(calls[key])]
    said = reader.feedback(score.prompt_id, score.split, score.example_id) if turns else ""
    return [*turns, *([["feedback", said]] if said else [])]


def _turns(call: RecordedCall) -> list[list[str]]:
    asked = [[message.role, message.content] for message in call.request.messages]
    if call.request.prompt is not None:
        asked.append(["text", call.request.prompt])
    thought = [["reasoning", text] for text in call.reply.reasoning[:1] if text]
    return [*asked, *thought, ["reply", call.reply.text]]


Exchanges = Mapping[str, list[list[str]]]
