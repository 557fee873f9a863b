"""The connections to one server: opened as they are needed, and kept for the next call."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import cache, partial
from typing import Any

import aiohappyeyeballs

from gpo.model.http.connection import HTTPConnection
from gpo.model.http.reply_reader import HTTPReply
from gpo.model.threads import threads_apart

CONNECT_SECONDS = 10.0
"""The longest that a connection may take to come about."""
IDLE_SECONDS = 60
"""How long a connection is kept for the next call."""
LOOKUPS = 4
"""Names that may be looked up at once."""
NAME_SECONDS = 300.0
"""How long a name's addresses are remembered."""
KEEPALIVE = (30, 10, 6)
"""Seconds until a silent peer is probed, seconds between probes, and probes until it is given up: a gateway in between
forgets connections that wait for a long answer."""


class ConnectFailedError(Exception):
    """No connection came about, so that nothing was sent; `__cause__` says why."""


class ConnectionPool:
    """Connections to `host` at `port`, over TLS where `secure`; `most` is the number of bytes that a reply may have.
    Belongs to the running loop. How many calls are under way is another's business: there is no limit here.

    A request is written once. A connection that is known to be closed is passed over before that; where the server
    closes one after it, nobody can know whether the request was read, and it is the caller's to ask again.
    """

    def __init__(self, host: str, port: int, *, secure: bool, most: int) -> None:
        self.loop = asyncio.get_running_loop()
        self._host, self._port, self._secure, self._most = host, port, secure, most
        self._idle: list[HTTPConnection] = []
        self._busy: set[HTTPConnection] = set()
        self._closed = False
        self._sweeping: asyncio.TimerHandle | None = None
        self._addresses: asyncio.Future[list[Any]] | None = None
        self._named_at = 0.0

    async def exchange(self, request: bytes, seconds: float) -> HTTPReply:
        """Send `request` and return its reply, all within `seconds`.

        Raises `ConnectFailedError` where nothing was sent, and what `HTTPConnection.exchange` raises.
        """
        connection = self._rested()
        if connection is None:
            started = self.loop.time()
            connection = await self._open(min(CONNECT_SECONDS, seconds))
            seconds -= self.loop.time() - started
        self._busy.add(connection)
        try:
            return await connection.exchange(request, seconds)
        finally:
            self._busy.discard(connection)
            self._rest(connection)

    def close(self) -> None:
        """Close all of them. May be called more than once, and after the loop is closed."""
        self._closed = True
        connections, self._idle = [*self._idle, *self._busy], []
        if self.loop.is_closed():
            return
        for connection in connections:
            connection.abort()
        if self._sweeping is not None:
            self._sweeping.cancel()

    def _rested(self) -> HTTPConnection | None:
        """The connection that rested last and can still be used."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    def _rest(self, connection: HTTPConnection) -> None:
        if not connection.usable:
            return
        if self._closed:
            connection.abort()
            return
        self._idle.append(connection)
        if self._sweeping is None:
            self._sweeping = self.loop.call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close those that rested for long."""
        since = self.loop.time() - IDLE_SECONDS
        for connection in self._idle:
            if connection.rested_at <= since:
                connection.abort()
        self._idle = [connection for connection in self._idle if connection.usable]
        self._sweeping = self.loop.call_later(IDLE_SECONDS / 2, self._sweep) if self._idle else None

    async def _open(self, seconds: float) -> HTTPConnection:
        try:
            async with asyncio.timeout(seconds):
                return await self._connect()
        except TimeoutError:
            raise ConnectFailedError from TimeoutError(f"no connection within {seconds:g} s")
        except (OSError, ValueError) as error:
            self._addresses = None
            raise ConnectFailedError from error

    async def _connect(self) -> HTTPConnection:
        sock = await aiohappyeyeballs.start_connection(
            await self._look_up(), happy_eyeballs_delay=0.25, interleave=1, socket_factory=keepalive_socket
        )
        try:
            _, connection = await self.loop.create_connection(
                lambda: HTTPConnection(self._most),
                sock=sock,
                ssl=verifying_context() if self._secure else None,
                server_hostname=self._host.rstrip(".") if self._secure else None,
            )
        except BaseException:
            sock.close()
            raise
        return connection

    async def _look_up(self) -> list[Any]:
        """The addresses of the host; many connections that open at once ask for them once."""
        now = self.loop.time()
        if self._addresses is None or now - self._named_at > NAME_SECONDS:
            self._named_at = now
            ask = partial(socket.getaddrinfo, self._host, self._port, type=socket.SOCK_STREAM)
            self._addresses = self.loop.run_in_executor(threads_apart("names", LOOKUPS), ask)
            # Where all who wait give up, nobody is told of its error.
            self._addresses.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._addresses)


@cache
def verifying_context() -> ssl.SSLContext:
    """Certificates are verified against those that the system, or SSL_CERT_FILE, trusts."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def keepalive_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket that notices a silent peer."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in zip(("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"), KEEPALIVE, strict=True):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock
