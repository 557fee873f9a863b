"""Calls to one endpoint over aiohttp: through a proxy, with odd headers or an odd address, or other than POST."""

from __future__ import annotations

import asyncio

import aiohttp
from yarl import URL

from gpo.errors import TransientModelError
from gpo.model.http.pool import CONNECT_SECONDS, IDLE_SECONDS, keepalive_socket
from gpo.model.openai.access import EndpointAccess
from gpo.model.openai.body import read_body, unpacked
from gpo.model.openai.errors import connection_error, unreadable_error
from gpo.model.openai.trials import Response
from gpo.model.threads import read_apart


class EndpointSession:
    """The connections to one endpoint. One loop at a time; a new loop gets new connections."""

    def __init__(self, access: EndpointAccess) -> None:
        self._access = access
        seconds = access.timeout
        self._timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._urls: dict[str, URL] = {}

    async def post(self, url: str, data: bytes) -> Response:
        """Post a body. Raises `ModelError` where no response comes or it is too large."""
        address = self._urls.get(url) or self._urls.setdefault(url, URL(url, encoded=True))
        try:
            # A redirect is followed by nobody: it would turn the call into a GET, or carry it somewhere else.
            session = self._session
            if session is None or self._loop is not asyncio.get_running_loop():
                session = await self._open()
            async with session.post(address, data=data, allow_redirects=False) as response:
                body = await read_body(response, self._access.name)
                if encoding := response.headers.get("Content-Encoding"):
                    body = await read_apart(unpacked, body, encoding, self._access.name)
                return Response(response.status, response.headers, body)
        except aiohttp.ConnectionTimeoutError as error:
            raise connection_error(error, self._access.base, self._access.secrets) from None
        except TimeoutError:
            raise TransientModelError(
                f"{self._access.name}: no answer in {self._access.timeout:g} s"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise connection_error(error, self._access.base, self._access.secrets) from None
        except ValueError:
            raise unreadable_error(b"", endpoint=self._access.name, key=self._access.secrets) from None

    async def serves(self, url: str) -> bool:
        """Whether something is served at `url`, if for others than us."""
        try:
            session = self._session or await self._open()
            async with session.get(url, allow_redirects=False) as response:
                return response.status in (200, 401, 403)
        except (aiohttp.ClientError, OSError, ValueError):
            return False

    async def aclose(self) -> None:
        """Close what is open. May be called more than once."""
        session, loop = self._session, self._loop
        self._session = self._loop = None
        if session is not None and loop is not None:
            await _close(session, loop)

    async def _open(self) -> aiohttp.ClientSession:
        """A session for the running loop; that of another loop is closed."""
        old, old_loop = self._session, self._loop
        self._loop = asyncio.get_running_loop()
        self._session = session = aiohttp.ClientSession(
            # How many calls are under way is another layer's business: the pool itself has no limit.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=IDLE_SECONDS, ttl_dns_cache=300, socket_factory=keepalive_socket
            ),
            timeout=self._timeout,
            headers=self._access.headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._access.proxy,
            auto_decompress=False,
        )
        if old is not None and old_loop is not None:
            await _close(old, old_loop)
        return session


async def _close(session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    """Close `session`, which belongs to `loop`: this one, one that is closed already, or another thread's."""
    if loop is asyncio.get_running_loop() or loop.is_closed():
        await session.close()
    else:
        asyncio.run_coroutine_threadsafe(session.close(), loop)
