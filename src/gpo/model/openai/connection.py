"""Bytes to one endpoint and back: over connections of our own, or over aiohttp where a call is out of the ordinary."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from yarl import URL

from gpo.errors import TransientModelError
from gpo.model.http.pool import ConnectFailedError, ConnectionPool
from gpo.model.http.reply_reader import BrokenReplyError, ReplyTooLargeError
from gpo.model.openai.access import EndpointAccess
from gpo.model.openai.body import MOST_BYTES, too_large, unpacked
from gpo.model.openai.errors import exchange_error, unreadable_error
from gpo.model.openai.trials import Response
from gpo.model.threads import read_apart

if TYPE_CHECKING:
    from gpo.model.openai.session import EndpointSession

_UNUSUAL = ("connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade")
"""Headers that change how a request is sent, where a user adds one."""
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_TARGET = re.compile(r"/[\x21-\x7e]*")


class EndpointConnection:
    """The connections to one endpoint. One loop at a time; a new loop gets new connections."""

    def __init__(self, access: EndpointAccess) -> None:
        self._access = access
        self._pool: ConnectionPool | None = None
        self._session: EndpointSession | None = None
        self._heads: dict[str, bytes | None] = {}

    async def post(self, url: str, data: bytes) -> Response:
        """Post a body. Raises `ModelError` where no response comes or it is too large."""
        try:
            head = self._heads[url]
        except KeyError:
            head = self._heads[url] = None if self._access.proxy else request_head(url, self._access.headers)
        if head is None:
            return await self._over_aiohttp().post(url, data)
        pool = self._pool
        if pool is None or pool.loop is not asyncio.get_running_loop():
            pool = self._open()
        try:
            reply = await pool.exchange(b"%b%d\r\n\r\n%b" % (head, len(data), data), self._access.timeout)
            headers = reply.texts()
            body = reply.body
            if encoding := headers.get("content-encoding"):
                body = await read_apart(unpacked, body, encoding, self._access.name)
            return Response(reply.status, headers, body)
        except TimeoutError:
            raise TransientModelError(
                f"{self._access.name}: no answer in {self._access.timeout:g} s"
            ) from None
        except ReplyTooLargeError:
            raise too_large(self._access.name, MOST_BYTES) from None
        except (ConnectFailedError, BrokenReplyError) as error:
            raise exchange_error(error, self._access.base, self._access.secrets) from None
        except ValueError:
            raise unreadable_error(b"", endpoint=self._access.name, key=self._access.secrets) from None

    async def serves(self, url: str) -> bool:
        """Whether something is served at `url`, if for others than us."""
        return await self._over_aiohttp().serves(url)

    async def aclose(self) -> None:
        """Close what is open. May be called more than once."""
        pool, self._pool = self._pool, None
        session, self._session = self._session, None
        if pool is not None:
            _close(pool)
            # The loop closes them in its next turn, which may be its last.
            await asyncio.sleep(0)
        if session is not None:
            await session.aclose()

    def _open(self) -> ConnectionPool:
        """A pool for the running loop; that of another loop is closed."""
        old = self._pool
        address = URL(self._access.base, encoded=True)
        self._pool = pool = ConnectionPool(
            address.raw_host or "", address.port or 80, secure=address.scheme == "https", most=MOST_BYTES
        )
        if old is not None:
            _close(old)
        return pool

    def _over_aiohttp(self) -> EndpointSession:
        # Here, not above: aiohttp takes a while to load, and most runs need nothing of it.
        from gpo.model.openai.session import EndpointSession

        if self._session is None:
            self._session = EndpointSession(self._access)
        return self._session


def request_head(url: str, headers: Mapping[str, str]) -> bytes | None:
    """A request up to the number of bytes in its body; None where an address or a header is out of the ordinary."""
    address = URL(url, encoded=True)
    host = (address.raw_host or "").isascii() and address.host_port_subcomponent
    target = address.raw_path_qs
    if not host or not _TARGET.fullmatch(target):
        return None
    lines = [f"POST {target} HTTP/1.1", f"Host: {host}"]
    if "user-agent" not in {name.lower() for name in headers}:
        lines.append("User-Agent: gpo")
    for name, value in headers.items():
        usual = name.lower() not in _UNUSUAL and _NAME.fullmatch(name) and _VALUE.fullmatch(value)
        if not usual:
            return None
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "Content-Length: "]).encode("ascii")


def _close(pool: ConnectionPool) -> None:
    """Close `pool`, which belongs to this loop, to one that is closed already, or to another thread's."""
    if pool.loop is asyncio.get_running_loop() or pool.loop.is_closed():
        pool.close()
    else:
        pool.loop.call_soon_threadsafe(pool.close)
