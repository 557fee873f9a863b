"""The OpenAI wire over aiohttp: chat completions, and plain completions for base models.

Knows one endpoint and one key. Retries, limits, prices and stores are other layers; what went wrong is told in
`gpo.model.openai.errors`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from gpo.config.masking import url_secrets
from gpo.errors import ConfigError, ModelError, TransientModelError
from gpo.model.model import Reply, Request
from gpo.model.openai.errors import (
    connection_error,
    response_error,
    unreadable_error,
    unsupported_parameter,
)
from gpo.model.openai.format import decode, encode
from gpo.model.openai.url import clean_url, split_url, wire_identity

_CONNECT = 10.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OpenAIClient:
    """One model at one endpoint. `timeout` is in seconds for a whole call; `api_key` None sends no key.

    `base_url` is what users write, /v1 included; credentials and a query in it are sent, and shown nowhere. Raises
    `ConfigError` where it is no address, or the key cannot be sent. `lacking` names the parameters that the endpoint
    turned out not to take, for whoever tells people. One loop at a time; a new loop gets new connections.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        identity: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self._base = clean_url(base_url)
        parts = split_url(base_url)
        query = f"?{parts.query}" if parts.query else ""
        self._chat = URL(f"{self._base}/chat/completions{query}", encoded=True)
        self._plain = URL(f"{self._base}/completions{query}", encoded=True)
        self._model = model
        self._identity = identity or wire_identity(base_url, model)
        self._key = _sendable(api_key) if api_key else None
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        token = ""
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"
        elif parts.username or parts.password:
            pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            token = base64.b64encode(pair.encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        self._proxy = _proxy(parts.scheme, parts.hostname or "")
        keys = (self._key or "", token, *url_secrets(base_url), *url_secrets(self._proxy or ""))
        self._secrets = tuple(key for key in keys if key)
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(_CONNECT, timeout))
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.lacking: frozenset[str] = frozenset()

    @property
    def identity(self) -> str:
        """Endpoint and model, without secrets."""
        return self._identity

    async def complete(self, request: Request, more: Mapping[str, Any] | None = None) -> Reply:
        """Send `request`, with `more` parameters that only this endpoint knows. The reply has what the one call
        brought, which may be fewer than `n` completions.

        Raises `TransientModelError` and `PermanentModelError`.
        """
        started = time.perf_counter()
        reply = await self._call(request, more)
        if len(reply.texts) == 1 < request.n:
            self.lacking |= {"n"}
        return replace(reply, seconds=time.perf_counter() - started)

    async def aclose(self) -> None:
        """Close the connections. May be called more than once."""
        session, loop = self._session, self._loop
        self._session = self._loop = None
        if session is not None and loop is not None:
            await _close(session, loop)

    async def _call(self, request: Request, more: Mapping[str, Any] | None = None) -> Reply:
        url = self._chat if request.prompt is None else self._plain
        while True:
            lacking = self.lacking
            status, headers, body = await self._post(url, encode(request, self._model, lacking, more))
            if status != 400:
                break
            # Calls that left together are refused together: what counts is whether this one was sent with it.
            unsupported = unsupported_parameter(body)
            if unsupported is None or unsupported in lacking or (unsupported == "n" and request.n == 1):
                break
            self.lacking |= {unsupported}
        if status != 200:
            raise response_error(status, headers, body, endpoint=self._identity, key=self._secrets)
        try:
            return decode(body, request, self._identity, lacking, key=self._secrets)
        except (ValueError, RecursionError):
            raise self._unreadable(body) from None

    async def _post(self, url: URL, data: bytes) -> tuple[int, Mapping[str, str], bytes]:
        try:
            # A redirect is followed by nobody: it would turn the call into a GET, or carry it somewhere else.
            session = self._session
            if session is None or self._loop is not asyncio.get_running_loop():
                session = await self._open()
            async with session.post(url, data=data, allow_redirects=False) as response:
                return response.status, response.headers, await response.read()
        except aiohttp.ConnectionTimeoutError as error:
            raise connection_error(error, self._base, self._secrets) from None
        except TimeoutError:
            raise TransientModelError(f"{self._identity}: no answer in {self._timeout.total:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise connection_error(error, self._base, self._secrets) from None

    def _unreadable(self, body: bytes) -> ModelError:
        # Some gateways pass an upstream failure on as a 200 with an error in it.
        try:
            code = json.loads(body)["error"]["code"]
        except (ValueError, KeyError, TypeError, RecursionError):
            code = None
        if isinstance(code, int) and 400 <= code < 600:
            return response_error(code, {}, body, endpoint=self._identity, key=self._secrets)
        return unreadable_error(body, endpoint=self._identity, key=self._secrets)

    async def _open(self) -> aiohttp.ClientSession:
        """A session for the running loop; that of another loop is closed."""
        old, old_loop = self._session, self._loop
        self._loop = asyncio.get_running_loop()
        self._session = session = aiohttp.ClientSession(
            # How many calls are under way is another layer's business: the pool itself has no limit.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=60, ttl_dns_cache=300, socket_factory=_socket
            ),
            timeout=self._timeout,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._proxy,
        )
        if old is not None and old_loop is not None:
            await _close(old, old_loop)
        return session


def _sendable(key: str) -> str:
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise ConfigError(
            "the API key holds a character that no key has (a line break, a letter with an accent)"
        )
    return key


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for `host`. aiohttp's own look-up reads ~/.netrc at every call."""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(scheme)


def _socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket that notices a silent peer: a gateway in between forgets connections that wait for a long answer."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


async def _close(session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    """Close `session`, which belongs to `loop`: this one, one that is closed already, or another thread's."""
    if loop is asyncio.get_running_loop() or loop.is_closed():
        await session.close()
    else:
        asyncio.run_coroutine_threadsafe(session.close(), loop)
