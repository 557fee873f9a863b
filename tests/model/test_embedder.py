"""The embedder that this machine can open, run for real."""

from __future__ import annotations

import asyncio
import math

import pytest

from gpo.errors import ModelError
from gpo.model.embedder import BGE, MINILM, Embedder, open_embedder


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    try:
        return asyncio.run(open_embedder())
    except ModelError as error:
        pytest.skip(f"no embedder can be fetched: {error}")


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_related_prompts_are_closer_than_unrelated_ones(embedder: Embedder) -> None:
    step, steps, fruit = await embedder.embed(
        ["Let's think step by step.", "Think about it one step at a time.", "Bananas grow in warm countries."]
    )
    assert cosine(step, steps) > cosine(step, fruit) + 0.2


async def test_vectors_have_length_one(embedder: Embedder) -> None:
    texts = ["a", "Solve the problem.", "word " * 2000, "", "π ≠ 3 \U0001f600", "\ud800 alone", "\x00"]
    vectors = await embedder.embed(texts)
    assert len(vectors) == len(texts)
    assert {len(vector) for vector in vectors} == {384}
    assert all(math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-9) for vector in vectors)


async def test_a_vector_does_not_depend_on_its_neighbours(embedder: Embedder) -> None:
    text = "Answer with only the final answer."
    [alone] = await embedder.embed([text])
    [_, beside, _] = await embedder.embed(
        ["Short.", text, "A much longer text that would need padding. " * 9]
    )
    assert alone == beside
    [again] = await (await open_embedder(embedder.name)).embed([text])
    assert alone == again


async def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert await embedder.embed([]) == []


def test_its_name_says_which_it_is(embedder: Embedder) -> None:
    assert embedder.name in (BGE, MINILM)


async def test_an_unknown_recorded_embedder_is_refused() -> None:
    with pytest.raises(ModelError, match="somebody/else"):
        await open_embedder("somebody/else")
