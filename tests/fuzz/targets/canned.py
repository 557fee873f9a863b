"""A client of the wire whose server is the input: all of it is real but the connection's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gpo.model.http.connection import HTTPConnection
from gpo.model.http.pool import ConnectionPool
from gpo.model.openai.access import EndpointAccess
from gpo.model.openai.body import MOST_BYTES
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.connection import EndpointConnection
from gpo.model.openai.trials import Response

KEY = "sk-Zx9/very+secret.42"


class WiredClient(OpenAIClient):
    """Every request is answered with `pieces`, and then with the end of the connection where `closes`."""

    def __init__(self, pieces: Sequence[bytes], *, closes: bool = True, most: int = MOST_BYTES) -> None:
        super().__init__(
            base_url="http://localhost:1/v1", model="m", api_key=KEY, timeout=5.0 if closes else 0.001
        )
        self._pieces, self._closes, self._most = pieces, closes, most
        self._connection = self._wired = EndpointConnection(
            EndpointAccess(base="http://localhost:1/v1", name="canned", headers={}, timeout=self._timeout)
        )

    async def send(self, data: bytes, chat: bool = True) -> Response:
        if self._wired._pool is None:
            self._wired._pool = _CannedPool(self._pieces, self._closes, self._most)
        return await super().send(data, chat)


class CannedClient(WiredClient):
    """Every request is answered with `status`, `headers` and `body`, in pieces of at most `chunks` bytes."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, chunks: int = 2**16) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
        lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        super().__init__([head, *(body[at : at + chunks] for at in range(0, len(body), chunks))])


class _CannedPool(ConnectionPool):
    def __init__(self, pieces: Sequence[bytes], closes: bool, most: int) -> None:
        super().__init__("localhost", 1, secure=False, most=most)
        self._pieces, self._closes = pieces, closes

    async def _open(self, seconds: float) -> HTTPConnection:
        connection = HTTPConnection(self._most)
        connection.connection_made(CannedTransport(connection, self._pieces, self._closes))
        return connection


class CannedTransport(asyncio.Transport):
    """Answers every write with `pieces`, as a loop's transport would: none after it was closed."""

    def __init__(self, connection: HTTPConnection, pieces: Sequence[bytes], closes: bool) -> None:
        super().__init__()
        self._connection, self._pieces, self._closes = connection, pieces, closes
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        for piece in self._pieces:
            if self._closed:
                return
            self._connection.data_received(piece)
        if self._closes and not self._closed:
            self._connection.eof_received()
            self.abort()

    def abort(self) -> None:
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    def is_closing(self) -> bool:
        return self._closed

    def get_write_buffer_size(self) -> int:
        return 0
