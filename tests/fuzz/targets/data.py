"""Data files of text: any bytes under any ending are a task or one line that says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gpo.errors import GPOError
from gpo.task.task import Task
from tests.fuzz.targets.target import Input, Target, own, scratch

_FOLDER = scratch()
SUFFIXES = (".jsonl", ".json", ".csv", ".tsv")
KINDS = ("label", "choice", "number", "boolean", "words", "text")
INPUTS = ("input", "{input}", "question", "{question}\n{choices}", "{input} {target}")


def run(data: bytes) -> None:
    """The first bytes choose the ending and the task's keys, the rest is the file."""
    read = Input(data)
    path = _FOLDER / f"rows{SUFFIXES[read.below(len(SUFFIXES))]}"
    options: dict[str, Any] = {
        "input": INPUTS[read.below(len(INPUTS))],
        "answer": KINDS[read.below(len(KINDS))],
        "split": {"train": 1, "dev": 1, "test": 1},
        "allow_overlap": bool(read.below(2)),
    }
    path.write_bytes(read.rest())
    use(path, options)


def use(path: Path, options: dict[str, Any]) -> None:
    """Load a task and ask it for everything that a run asks of its rows."""
    try:
        task = Task.from_jsonl(path, **options)
    except GPOError as error:
        own(error)
        return
    for example in task.splits.dev:
        task.with_slot(example)
        task.target_text(example)
        opening = task.opening("Think {input}.", example)
        task.closing(opening, "so")
        task.judge("yes", example)


def seeds() -> list[bytes]:
    """Three rows in every format, and the odd shapes that data files have."""
    rows = [{"input": f"Is {n} odd?", "target": "yes" if n % 2 else "no"} for n in range(3)]
    jsonl = "".join(json.dumps(row) + "\n" for row in rows)
    table = "input,target\n" + "".join(f'"{row["input"]}",{row["target"]}\n' for row in rows)
    lists = [{"question": "Q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "target": "A", "id": 1}]
    found = [
        *((0, kind, jsonl) for kind in range(len(KINDS))),
        (1, 0, json.dumps(rows)),
        (1, 0, json.dumps({"train": rows[:1], "dev": rows[1:2], "test": rows[2:]})),
        (1, 1, json.dumps({"rows": lists * 3})),
        (2, 3, table),
        (2, 2, "input,target\n1,1e999\n2,½\n3,-0\n"),
        (3, 0, table.replace(",", "\t")),
        (0, 4, '{"input": ["a", "b"], "target": ["x", "y"]}\n' * 3),
        (0, 2, '{"input": NaN, "target": 1e400}\n{"input": {}, "target": [[]]}\n'),
    ]
    return [bytes([ending, 0, kind, 1]) + body.encode() for ending, kind, body in found]


TARGET = Target(
    "data",
    run,
    seeds,
    tokens=[
        *('{"input":', '"target":', '"question":', '"choices":', '"text":', '"label":', '"id":', '"rows":'),
        *(
            "train",
            "dev",
            "test",
            "NaN",
            "Infinity",
            "1e999",
            "null",
            "true",
            "[[",
            "]]",
            "\\ud800",
            "\\u0000",
        ),
        *("input,target", '""', "\r\n", "½", "٣", "{input}", "{0}", "%s"),
    ],
)
