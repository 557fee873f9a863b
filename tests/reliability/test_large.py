"""Texts of 1 MB through everything: a row's input, its target, the prompt, and what the models reply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gpo.report.page import write_report
from gpo.storage.journal_reader import JournalReader
from gpo.task.answer import answer_reader
from tests.support.server import ModelServer, all_text

from .support import landscape_server, run

MB = 1_000_000
LIMIT = {"max_tokens": 2 * MB}
ONE_STEP = {"epochs": 1, "batch_size": 4, "candidates": 2, "resamples": 0, "keep_going": True}


def rows(folder: Path, question: str = "Is it so", target: str = "left") -> None:
    """Few rows a split, the first of each with `question` and `target`."""
    for split, count in (("train", 4), ("dev", 3), ("test", 3)):
        found = [{"input": f"{split} {i}?", "target": "right" if i == 1 else "left"} for i in range(count)]
        found[0] = {"input": f"{question} {split}?", "target": target}
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))


def free_text(folder: Path) -> dict[str, Any]:
    data = {split: str(folder / f"{split}.jsonl") for split in ("train", "dev", "test")}
    return {"data": data, "answer": {"kind": "text"}, "metric": "rouge_l"}


def page(folder: Path) -> str:
    """The report of the run, which must stay small enough to open."""
    text = write_report(folder / "run").read_text(encoding="utf-8")
    assert len(text) < 30 * MB
    return text


async def test_an_input_of_1_mb(tmp_path: Path) -> None:
    rows(tmp_path, question="word " * (MB // 5))
    with landscape_server() as server:
        result = await run(server, tmp_path, optimize=ONE_STEP)
        assert any(len(all_text(body)) > MB for body in server.bodies())
    assert result.status == "complete"
    page(tmp_path)


async def test_a_target_of_1_mb(tmp_path: Path) -> None:
    rows(tmp_path, target="word " * (MB // 5))
    with landscape_server() as server:
        result = await run(server, tmp_path, optimize=ONE_STEP, task=free_text(tmp_path))
    assert result.status == "complete"
    page(tmp_path)


async def test_replies_of_1_mb(tmp_path: Path) -> None:
    def long(body: dict[str, Any]) -> str:
        words = f"Think {body.get('seed')} " + "and think " * (MB // 10)
        return f"<START>{words}<END>" if "<START>" in all_text(body) else f"{words} left"

    rows(tmp_path)
    with ModelServer(answer=long, keep_log=False) as server:
        result = await run(server, tmp_path, optimize=ONE_STEP, model=LIMIT)
    assert result.status == "complete"
    # Nobody wants a prompt of 1 MB: it is over optimize.max_words, and the journal says so.
    with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
        candidates = [item for step in journal.steps().values() for item in step["candidates"]]
    assert candidates
    assert all("max_words" in item["rejected"] for item in candidates)
    page(tmp_path)


async def test_a_prompt_of_1_mb(tmp_path: Path) -> None:
    rows(tmp_path)
    with landscape_server() as server:
        result = await run(server, tmp_path, optimize=ONE_STEP, prompt="word " * (MB // 5))
    assert len(result.initial_prompt) == MB
    page(tmp_path)


@pytest.mark.parametrize("kind", ["label", "choice", "number", "boolean", "words", "text"])
def test_a_reply_that_repeats_itself_ends(kind: Any) -> None:
    """What takes its length's square would not end within the time that a test has."""
    reader = answer_reader(kind, labels=["yes", "no"], targets=["yes", "no"])
    for piece in (
        "a ",
        "\n",
        "answer is ",
        "**",
        "1,",
        "(A) ",
        "yes or no ",
        "- a\n",
        "\\boxed{",
        "not ",
        ": ",
    ):
        reader.read(piece * (MB // 10 // len(piece)), "Which?\n(A) a\n(B) b")
