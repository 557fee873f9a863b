"""From the bytes of a connection to whole HTTP replies, under limits: llhttp parses, which httptools brings."""

from __future__ import annotations

from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MOST_BETWEEN = 2**16
"""Bytes that may come without one of a body among them: a status line, headers and trailers, and interim replies."""
_A_HEADER = 64
"""Bytes that a header counts beside its own."""


class HTTPReply(NamedTuple):
    """What a server answered: its status, its headers as they came, and its body, still packed."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def texts(self) -> dict[str, str]:
        """The headers under lower-case names; values of one name are joined by commas."""
        found: dict[str, str] = {}
        for raw, value in self.headers:
            name, text = raw.decode("latin-1").lower(), value.decode("latin-1").strip()
            found[name] = f"{found[name]}, {text}" if name in found else text
        return found


class BrokenReplyError(Exception):
    """What came is no whole HTTP reply. The text is ours, with nothing of the server's in it."""


class ReplyTooLargeError(Exception):
    """The reply has more bytes than a reply may have."""


class ReplyReader:
    """Reads the replies of one connection, one after another; `most` bytes each, as they come.

    Interim replies (100 Continue) are passed over. Forgives what servers do wrong and no two readers would read
    differently: bare line feeds, spaces behind a chunk's size, odd characters in a header's value.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self.begin()

    def begin(self) -> None:
        """Be ready for the next reply."""
        self.whole = False
        """Whether the reply is there to its end."""
        self.reusable = False
        """Whether the connection can take another request after it."""
        self._received = self._between = 0
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._room = MOST_BETWEEN
        self._body = bytearray()

    @property
    def started(self) -> bool:
        """Whether anything of a reply came."""
        return self._received > 0

    def feed(self, data: bytes) -> bool:
        """Read on; returns `whole`. Raises `BrokenReplyError` and `ReplyTooLargeError`."""
        before = len(self._body)
        self._received += len(data)
        if self._received > self._most:
            raise ReplyTooLargeError
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # What stands behind a reply spoils the connection, and not the reply.
            self.reusable = False
            if not self.whole:
                raise BrokenReplyError(_reason(error)) from None
        if self.whole:
            return True
        self._between = 0 if len(self._body) > before else self._between + len(data)
        if self._between > MOST_BETWEEN:
            raise BrokenReplyError("headers without an end")
        return False

    def finish(self) -> bool:
        """The server closed the connection: was that the end of a reply, as it is where no length is told?"""
        named = {name.lower() for name, _ in self._headers}
        told = b"content-length" in named or b"transfer-encoding" in named
        self.whole = self.whole or (self._status >= 200 and not told)
        self.reusable = False
        return self.whole

    def reply(self) -> HTTPReply:
        """The reply, once it is whole."""
        return HTTPReply(self._status, self._headers, bytes(self._body))

    def on_message_begin(self) -> None:
        """The parser's: a reply begins."""
        if self.whole:
            raise BrokenReplyError("more than one reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's: a header, or a trailer."""
        self._room -= len(name) + len(value) + _A_HEADER
        if self._room < 0:
            raise BrokenReplyError("too many headers")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The parser's: all headers are there."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers = []
        else:
            self._status = status
            self.reusable = self._parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        """The parser's: a piece of the body."""
        self._body += part

    def on_message_complete(self) -> None:
        """The parser's: the reply is whole, unless it is an interim one."""
        self.whole = self._status >= 200


def _reason(error: Exception) -> str:
    if isinstance(error, HttpParserUpgrade):
        return "another protocol"
    cause = error.__context__
    return str(cause) if isinstance(cause, BrokenReplyError) else f"no HTTP reply: {error}"
