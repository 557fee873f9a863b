"""Embeddings over the OpenAI wire, as a `Model`: one text a call, so that every layer of a call holds for them too."""

from __future__ import annotations

import base64
import json
import math
import sys
import time
from array import array
from collections.abc import Awaitable, Sequence

from gpo.model.model import Model, Reply, Request, Usage
from gpo.model.openai.client import OpenAIClient

MOST_NUMBERS = 65_536
"""Of a vector; embedders have a few thousand."""


class EmbeddingModel:
    """Answers a request's `prompt` with its vector, packed into the reply's text (see `unpack`). `client` is closed
    with it."""

    def __init__(self, client: OpenAIClient) -> None:
        self._client = client

    @property
    def identity(self) -> str:
        """Endpoint and model. The same model's completions are other calls."""
        return f"{self._client.identity} embeddings"

    async def complete(self, request: Request) -> Reply:
        """The vector of length 1 of `request.prompt`. Raises `TransientModelError` and `PermanentModelError`."""
        try:
            return await fetch_vector(self._client.post_embedding(request.prompt or ""))
        except ValueError:
            raise self._client.no_vector() from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def fetch_vector(answer: Awaitable[bytes]) -> Reply:
    """The reply that holds the vector of an `answer` of /embeddings. Raises `ValueError` where there is none in it, and
    what waiting for it raises."""
    started = time.perf_counter()
    vector, tokens = decode_vector(await answer)
    return Reply(
        texts=(pack(vector),),
        finish_reasons=("stop",),
        usage=Usage(prompt_tokens=tokens),
        seconds=time.perf_counter() - started,
    )


def embedding_request(text: str) -> Request:
    """The call for the vector of `text`."""
    # The wire is UTF-8, which has no lone surrogates.
    return Request(prompt=text.encode("utf-8", "replace").decode("utf-8"), max_tokens=1, purpose="embedding")


async def embed_with(model: Model, text: str) -> list[float]:
    """The unit vector of `text` by an `EmbeddingModel` in any layers. Raises what they raise."""
    return unpack((await model.complete(embedding_request(text))).text)


def pack(vector: Sequence[float]) -> str:
    """A vector as text: base64 of little-endian 64-bit numbers."""
    values = array("d", vector)
    if sys.byteorder == "big":
        values.byteswap()
    return base64.b64encode(values.tobytes()).decode("ascii")


def unpack(text: str) -> list[float]:
    """The vector of `pack`. Raises `ValueError` where it is none."""
    values = array("d")
    values.frombytes(base64.b64decode(text, validate=True))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def decode_vector(body: bytes) -> tuple[list[float], int]:
    """The vector in the answer of /embeddings, made one of length 1, and the tokens that were read. Raises `ValueError`
    where there is none."""
    try:
        answer = json.loads(body)
        vector = [float(value) for value in answer["data"][0]["embedding"]]
        usage = answer.get("usage")
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("no vector") from error
    length = math.hypot(*vector)
    if not 0 < len(vector) <= MOST_NUMBERS or not 0 < length < math.inf:
        raise ValueError("no vector")
    told = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    tokens = told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 2**40 else 0
    return [value / length for value in vector], tokens
