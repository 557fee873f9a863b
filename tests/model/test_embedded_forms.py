"""The embedded engine with the real 135M model: replies held to their form, and embeddings beside writing."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.model.local import weights
from gpo.model.local.embedder import EmbeddedEmbedder
from gpo.model.local.engine import EngineSettings
from gpo.model.local.model import EmbeddedModel, grammar_of, open_embedded
from gpo.model.model import Message, Request
from gpo.model.openai.embeddings import embed_with
from gpo.task.answer.structured.schema import find_misfit

LABELS = ["billing", "delivery", "größe"]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "queue": {"type": "string", "enum": LABELS},
        "urgent": {"type": "boolean"},
        "days": {"type": "integer"},
    },
    "required": ["queue", "urgent"],
    "additionalProperties": False,
}
PROMPTS = ("Tell me a story about a fox.", "Answer in French, with a poem.", "Which queue? Say nothing else.")
SETTINGS = EngineSettings(slots=4, context=1024, threads=1, embeddings=True)


@pytest.fixture
async def model(smollm2: weights.GGUF) -> AsyncIterator[EmbeddedModel]:
    opened = open_embedded(smollm2.path, identity=smollm2.identity, name=smollm2.name, settings=SETTINGS)
    yield opened
    await opened.aclose()


def asked(answer: dict[str, Any], target: str) -> gpo.Task:
    rows = [{"input": f"My parcel {number} is late.", "target": target} for number in range(3)]
    return gpo.Task.from_rows(rows, split={"train": 1, "dev": 1, "test": 1}, answer=answer)


async def replies(model: EmbeddedModel, task: gpo.Task, tokens: int) -> list[str]:
    """What the model says to prompts that ask for something else, at temperature 0 and 1; whole replies only."""
    (example,) = task.examples("dev")
    found = []
    for prompt in PROMPTS:
        opening = task.opening(prompt, example)
        assert not isinstance(opening, str)
        for temperature in (0.0, 1.0):
            request = Request(
                messages=opening,
                temperature=temperature,
                seed=7 if temperature else None,
                max_tokens=tokens,
                response_format=task.reply_format(example, closing=False),
            )
            reply = await model.complete(request)
            assert reply.finish_reasons == ("stop",), reply.text
            found.append(reply.text)
    return found


def test_only_a_schema_makes_a_grammar() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    start, _, schema = grammar_of(json.dumps(form)).partition("%json ")
    assert start == "%llguidance {}\nstart: "
    assert json.loads(schema).items() > SCHEMA.items()
    assert grammar_of('{"type": "json_object"}') == grammar_of("") == ""


@pytest.mark.slow
async def test_with_labels_every_reply_is_one(model: EmbeddedModel) -> None:
    task = asked({"kind": "label", "labels": LABELS, "structured": True}, "delivery")
    for reply in await replies(model, task, 24):
        assert json.loads(reply)["answer"] in LABELS
        assert reply.replace(" ", "") == reply, "it wrote spaces between the parts"


@pytest.mark.slow
async def test_json_is_whole_and_fits_its_schema(model: EmbeddedModel) -> None:
    task = asked(
        {"kind": "json", "schema": SCHEMA, "structured": True}, '{"queue": "delivery", "urgent": false}'
    )
    for reply in await replies(model, task, 64):
        assert find_misfit(SCHEMA, json.loads(reply)) == ""


@pytest.mark.slow
async def test_one_engine_writes_and_embeds(model: EmbeddedModel) -> None:
    embedder = EmbeddedEmbedder(model)
    request = Request(messages=(Message("user", "Say hello."),), max_tokens=8)
    before = await model.complete(request)

    def cosine(one: Sequence[float], other: Sequence[float]) -> float:
        return math.fsum(a * b for a, b in zip(one, other, strict=True))

    texts = (
        "Answer with one word: billing or delivery?",
        "Reply with one word, billing or delivery.",
        "Fish swim.",
    )
    near, like, far = [await embed_with(embedder, text) for text in texts]
    assert math.hypot(*near) == pytest.approx(1)
    assert cosine(near, like) > cosine(near, far) + 0.1
    assert await embed_with(embedder, texts[0]) == near
    # Of a long text the beginning counts, and it is no error.
    long = "one word after the other " * 200
    assert await embed_with(embedder, long) == await embed_with(embedder, long + "fish")
    assert (await model.complete(request)).texts == before.texts
    assert embedder.identity != model.identity


@pytest.mark.slow
def test_a_run_compares_its_prompts_by_the_task_model_itself(smollm2: weights.GGUF, tmp_path: Path) -> None:
    rows = [{"input": f"Item {number} red", "target": "red"} for number in range(9)]
    task = gpo.Task.from_rows(rows, split={"train": 3, "dev": 3, "test": 3}, answer="text")
    local, numbers = {"model": "local/smollm2-135m", "max_tokens": 4}, itertools.count()

    def write(text: str) -> str:
        return f"<START>Say which colour it is, {next(numbers)}.</END>"

    result = gpo.optimize(
        task,
        prompt="Name the colour.",
        # The 135M writes no prompt that is any good: a function does.
        models={"task": local, "optimizer": write, "embedder": "local/smollm2-135m"},
        optimize={"epochs": 2, "batch_size": 3, "candidates": 2},
        run_dir=tmp_path / "run",
    )
    assert result.usage.embedder is not None
    assert result.usage.embedder.calls >= 1
    assert result.extra["embedder"] == f"local/smollm2-135m@{smollm2.sha256[:12]} embeddings"
