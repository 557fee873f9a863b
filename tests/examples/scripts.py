"""What a server answers for each project of `examples/`: bad replies to its start prompt, good ones to another."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.server import all_text, last_text

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WANTED = (
    "Call a tool or name the key words, then reply with only the answer as JSON, a word, a number or one line"
)

Task = Callable[[str], str]
"""From all turns of a call to the reply of the task model."""


def answer(task: Task) -> Callable[[dict[str, Any]], str]:
    """The three models of an example by their names: `task`, `optimizer`, `judge`."""

    def reply(body: dict[str, Any]) -> str:
        if body["model"] == "optimizer":
            return f"<START>{WANTED}, number {body.get('seed', 0) % 97}<END>"
        return judge(last_text(body)) if body["model"] == "judge" else task(all_text(body))

    return reply


def judge(text: str) -> str:
    """A line is good that is one of those that a person wrote."""
    given = text.rsplit("<answer-", 1)[1].split(">\n", 1)[1].split("\n</answer-")[0]
    good = {row["gist"] for row in read_csv("judge/notices.csv")}
    return f"It has {len(given.split())} words.\nScore: {9 if given in good else 2}"


def read_csv(name: str) -> list[dict[str, str]]:
    with (EXAMPLES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def read_jsonl(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EXAMPLES / name).read_text().splitlines()]


def tickets(text: str) -> str:
    if "only the answer" not in text:
        return "The guest wants something."
    return next(row["desk"] for row in read_csv("tickets/messages.csv") if row["message"] in text)


def extraction(text: str) -> str:
    row = next(row for row in read_jsonl("extraction/orders.jsonl") if row["order"] in text)
    fields = row["fields"] if "only the answer" in text else {**row["fields"], "product": "goods"}
    return f"```json\n{json.dumps(fields)}\n```"


def notices(text: str) -> str:
    row = next(row for row in read_csv("judge/notices.csv") if row["notice"] in text)
    return row["gist"] if "one line" in text else row["notice"]


def rag(text: str) -> str:
    row = next(row for row in read_jsonl("rag/questions.jsonl") if row["question"] in text)
    if text.endswith(f"Question: {row['question']}"):
        finds = "key words" in text or len(row["question"]) % 3
        return str(row["question"]) if finds else "A town has many things."
    found, instruction = text.split(f"Question: {row['question']}")
    if "only the answer" not in instruction:
        return "There is much to tell about that."
    return str(row["answer"]) if row["answer"] in found else "nobody knows"


def tools(text: str) -> str:
    """Without a tool it guesses; with one it reads the result."""
    if seen := re.findall(r"^[\d *]+ = (\d+)$", text, re.MULTILINE):
        return str(seen[-1])
    if "Call a tool" not in text:
        return "12345"
    question = next(row["question"] for row in read_jsonl("tools/questions.jsonl") if row["question"] in text)
    numbers = re.findall(r"\d+", question)
    if len(numbers) == 2:
        return f"calc({numbers[0]} * {numbers[1]})"
    if price := re.search(r"\w+ costs (\d+)$", text, re.MULTILINE):
        return f"calc({numbers[0]} * {price[1]})"
    return "price({})".format(re.search(r"\d+ (\w+)s", question)[1])  # type: ignore[index]


SCRIPTS: dict[str, Task] = {
    "tickets": tickets,
    "extraction": extraction,
    "judge": notices,
    "rag": rag,
    "tools": tools,
}
