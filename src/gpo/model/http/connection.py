"""One connection: a request goes out, its reply comes back."""

from __future__ import annotations

import asyncio

from gpo.model.http.reply_reader import BrokenReplyError, HTTPReply, ReplyReader, ReplyTooLargeError


class HTTPConnection(asyncio.Protocol):
    """One exchange at a time; `most` is the number of bytes that a reply may have."""

    def __init__(self, most: int) -> None:
        self._reader = ReplyReader(most)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[HTTPReply] | None = None
        self.rested_at = 0.0
        """The loop's time when the last exchange ended."""

    @property
    def usable(self) -> bool:
        """Whether another request can go out."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes, seconds: float) -> HTTPReply:
        """Send `request`, and wait for its reply at most `seconds`. Whatever goes wrong ends the connection.

        Raises `TimeoutError`, `BrokenReplyError` and `ReplyTooLargeError`.
        """
        assert self._transport is not None
        assert self._waiting is None
        waiting: asyncio.Future[HTTPReply] = self._loop.create_future()
        self._waiting = waiting
        self._reader.begin()
        timer = self._loop.call_later(seconds, self._expire)
        self._transport.write(request)
        try:
            return await waiting
        except BaseException:
            self.abort()
            raise
        finally:
            self._waiting = None
            timer.cancel()

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop's: the connection is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The loop's: bytes came."""
        waiting = self._waiting
        if waiting is None or waiting.done():
            # Nobody asked: whatever it is, it must not be taken for the next request's reply.
            self.abort()
            return
        try:
            if not self._reader.feed(data):
                return
        except (BrokenReplyError, ReplyTooLargeError) as error:
            self._fail(error)
            return
        self._end(waiting)

    def eof_received(self) -> None:
        """The loop's: the server will send no more."""
        waiting = self._waiting
        if waiting is not None and not waiting.done() and self._reader.finish():
            self._end(waiting)

    def connection_lost(self, error: Exception | None) -> None:
        """The loop's: the connection is gone."""
        self._transport = None
        started = "within its answer" if self._reader.started else "without an answer"
        lost = BrokenReplyError(f"the server closed it {started}")
        lost.__cause__ = error
        self._fail(lost)

    def _end(self, waiting: asyncio.Future[HTTPReply]) -> None:
        waiting.set_result(self._reader.reply())
        self.rested_at = self._loop.time()
        transport = self._transport
        # A server that answers before it has the whole request would take the rest for the next one.
        if transport is not None and (not self._reader.reusable or transport.get_write_buffer_size()):
            transport.abort()

    def _expire(self) -> None:
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
