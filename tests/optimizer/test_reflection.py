"""Reflection: what the optimizer model is asked about, at which temperature, and a step without a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gpo
from tests.support.landscape import Landscape
from tests.support.runs import config, meta_prompts, write_task
from tests.support.server import ModelServer

METHOD = {"direction": "prompt+reflection", "trajectory": "none"}


def test_reflection_shows_question_answer_and_expected_answer_at_temperature_0(
    server: ModelServer, tmp_path: Path
) -> None:
    landscape = Landscape(floor=0.0)
    server.answer = landscape.answer
    gpo.optimize(**config(server, write_task(tmp_path / "data", landscape), method=METHOD))
    asked = [body for body in server.bodies() if "Name the problems" in str(body)]
    assert asked
    for body in asked:
        text = body["messages"][-1]["content"]
        assert body["temperature"] == 0
        assert (
            text.count("Question: Item") == text.count("Answer of the model:") == text.count("Right answer:")
        )
        assert 1 <= text.count("Question: Item") <= 4
    assert all("Problems: The prompt misses words that help." in text for text in meta_prompts(server))


def test_a_step_without_a_failure_says_so_and_goes_on_without(server: ModelServer, tmp_path: Path) -> None:
    landscape = Landscape()
    train = {row["input"]: row["target"] for row in landscape.rows(16)}

    def answer(body: dict[str, Any]) -> str:
        text = str(body["messages"][-1]["content"])
        known = [target for question, target in train.items() if question in text and "<START>" not in text]
        return known[0] if known else landscape.answer(body)

    server.answer = answer
    result = gpo.optimize(**config(server, write_task(tmp_path / "data", landscape), method=METHOD))
    assert result.status == "complete"
    assert not [body for body in server.bodies() if "Name the problems" in str(body)]
    shown = meta_prompts(server)
    assert shown
    assert all("Problems:" not in text and "made no mistake" in text for text in shown)


def test_the_released_preset_never_looks_at_the_batch_that_it_dropped(
    server: ModelServer, tmp_path: Path
) -> None:
    landscape = Landscape(floor=0.0)
    server.answer = landscape.answer
    data = write_task(tmp_path / "data", landscape, train=18)
    gpo.optimize(**config(server, data, method=METHOD, preset="released"))
    train = [row["input"] for row in landscape.rows(18)]
    texts = [str(body["messages"][-1]["content"]) for body in server.bodies()]
    asked = [text for text in texts if "<START>" not in text and "Name the problems" not in text]
    # Two epochs of 18 // 8 = 2 steps; each looks at a whole batch with a current prompt that is its own.
    assert len([text for text in asked if any(question in text for question in train)]) == 4 * 8
