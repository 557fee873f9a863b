"""Every cell of the paper's Tables 2 and 3 runs end to end against a real server, and does what its name says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.storage.journal_reader import JournalReader
from tests.support.embedding import use_one_embedder
from tests.support.landscape import Landscape
from tests.support.runs import config, meta_prompts, write_task
from tests.support.server import ModelServer

DIRECTIONS = ["prompt", "prompt+performance", "prompt+reflection", "prompt+performance+reflection"]
TRAJECTORIES = ["none", "summarization", "recency", "relevance", "importance"]
# Table 3 has seven rows; "none+warmup" is not one of them and runs as the eighth.
EDIT_DISTANCES = [
    f"{name}{suffix}" for name in ("none", "fixed", "linear", "cosine") for suffix in ("", "+warmup")
]

LANDSCAPE = Landscape()


def run(server: ModelServer, folder: Path, method: dict[str, Any], **changes: Any) -> gpo.Result:
    server.answer = LANDSCAPE.answer
    settings = config(server, write_task(folder / "data", LANDSCAPE), method=method, **changes)
    return gpo.optimize(run_dir=folder / "run", **settings)


@pytest.mark.parametrize("trajectory", TRAJECTORIES)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_table_2(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direction: str, trajectory: str
) -> None:
    use_one_embedder(monkeypatch)
    result = run(server, tmp_path, {"direction": direction, "trajectory": trajectory})
    assert result.status == "complete"
    assert len(result.steps) == 4
    shown = meta_prompts(server)
    assert len(shown) >= 4
    assert all(("Score:" in text) == ("performance" in direction) for text in shown)
    assert any("Problems:" in text for text in shown) == ("reflection" in direction)
    assert any("Earlier prompts" in text for text in shown) == (trajectory in TRAJECTORIES[2:])
    assert any("learnt from the earlier prompts" in text for text in shown) == (trajectory == "summarization")
    embedded = trajectory == "relevance"
    assert bool(result.extra["embedder"]) == embedded
    # Reflection reads the train batch, and nothing else does.
    train = {row["input"] for row in LANDSCAPE.rows(16)}
    asked = {row for row in train for body in server.bodies() if row in str(body["messages"][0]["content"])}
    questions = [
        body for body in server.bodies() if "<START>" not in str(body) and "the word OK" not in str(body)
    ]
    read = {row for row in train for body in questions if row in str(body["messages"][0]["content"])}
    assert asked >= read
    assert bool(read) == ("reflection" in direction)


@pytest.mark.parametrize("refinement", ["editing", "generation"])
@pytest.mark.parametrize("edit_distance", EDIT_DISTANCES)
def test_table_3(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit_distance: str, refinement: str
) -> None:
    use_one_embedder(monkeypatch)
    result = run(server, tmp_path, {"edit_distance": edit_distance, "refinement": refinement})
    assert result.status == "complete"
    shown = meta_prompts(server)
    limits = {int(found) for text in shown for found in re.findall(r"Change at most (\d+) words", text)}
    expected = {step["edit_limit"] for step in result.steps if step["edit_limit"] is not None}
    assert limits == expected
    instruction = {"editing": "Modify the current prompt", "generation": "Write a new improved prompt"}
    for name, words in instruction.items():
        assert all(words in text for text in shown) == (name == refinement)
    assert all(isinstance(step["edit_distance"], int) for step in result.steps)


def test_an_enforced_limit_holds_for_every_scored_candidate(server: ModelServer, tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> str:
        text = LANDSCAPE.answer(body)
        careless = (body.get("seed") or 0) % 2
        return text.replace("<END>", " and eight more words than it was allowed<END>") if careless else text

    server.answer = answer
    optimize = {
        "epochs": 3,
        "candidates": 4,
        "edit_distance": {"initial": 4, "final": 2, "control": "enforce"},
    }
    method = {"trajectory": "recency", "edit_distance": "linear"}
    settings = config(server, write_task(tmp_path / "data", LANDSCAPE), method=method, optimize=optimize)
    gpo.optimize(run_dir=tmp_path / "run", **settings)
    with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
        steps = list(reader.steps().values())
    candidates = [(step["edit_limit"], item) for step in steps for item in step["candidates"]]
    over = [(limit, item) for limit, item in candidates if item["edit_distance"] > limit]
    assert over
    assert len(over) < len(candidates)
    assert all(f"more than the limit of {limit}" in item["rejected"] for limit, item in over)
    assert all(item["score"] is None for _, item in over)


@pytest.mark.parametrize(
    "position", ["before_question", "question_begin", "question_end", "answer_begin", "system"]
)
@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("demonstrations", [0, 2])
def test_every_position_and_setting(
    server: ModelServer, tmp_path: Path, position: str, chat: bool, demonstrations: int
) -> None:
    server.answer = LANDSCAPE.answer
    settings = config(server, write_task(tmp_path / "data", LANDSCAPE), method={"trajectory": "recency"})
    settings["task"] |= {"position": position, "demonstrations": demonstrations}
    settings["models"]["task"] |= {"chat": chat}
    settings["optimize"] |= {"epochs": 1}
    result = gpo.optimize(**settings)
    assert result.status == "complete"
    questions = [
        body for body in server.bodies() if "<START>" not in str(body) and "the word OK" not in str(body)
    ]
    assert all(("messages" in body) == chat for body in questions)
    one = str(questions[0])
    assert "amber anchor" in one
    if chat and demonstrations:
        assert [message["role"] for message in questions[0]["messages"] if message["role"] != "system"] == [
            "user",
            "assistant",
            "user",
            "assistant",
            "user",
        ]
