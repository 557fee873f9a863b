"""A client of the wire whose server is the input: all of it is real but the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self, cast

import aiohttp
from multidict import CIMultiDict

from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.connection import EndpointConnection
from gpo.model.openai.trials import Response

KEY = "sk-Zx9/very+secret.42"


class CannedClient(OpenAIClient):
    """Every request is answered with `status`, `headers` and `body`, in pieces of at most `chunks` bytes."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, chunks: int = 2**16) -> None:
        super().__init__(base_url="http://localhost:1/v1", model="m", api_key=KEY)
        self._connection = self._canned = EndpointConnection(
            "http://localhost:1/v1", name="canned", headers={}
        )
        self._canned._session = cast(
            aiohttp.ClientSession, _CannedSession(_CannedResponse(status, headers, body, chunks))
        )

    async def send(self, data: bytes, chat: bool = True) -> Response:
        self._canned._loop = asyncio.get_running_loop()
        return await super().send(data, chat)


class _CannedResponse:
    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, chunks: int) -> None:
        self.status, self.headers = status, CIMultiDict(headers)
        self._body, self._chunks = body, chunks
        self.content = self

    async def iter_any(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), self._chunks):
            yield self._body[start : start + self._chunks]

    def close(self) -> None:
        """As the response of aiohttp."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None: ...


class _CannedSession:
    def __init__(self, answer: _CannedResponse) -> None:
        self._answer = answer

    def post(self, *what: Any, **how: Any) -> _CannedResponse:
        """The answer, whatever is asked."""
        return self._answer

    get = post

    async def close(self) -> None: ...
