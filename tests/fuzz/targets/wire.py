"""The bytes of a connection as they come: any, cut anywhere, with an end or without."""

from __future__ import annotations

import json

from gpo.model.http.reply_reader import BrokenReplyError, HTTPReply, ReplyReader, ReplyTooLargeError
from tests.fuzz.targets.canned import WiredClient
from tests.fuzz.targets.replies import judge
from tests.fuzz.targets.target import Input, Target

MOST = 3000
"""Bytes of a reply here, so that inputs come to it."""
_REPEATS = (1, 1, 1, 2, 40)


def run(data: bytes) -> None:
    """The first bytes choose whether the connection ends, how often the rest is repeated, and where that is cut."""
    read = Input(data)
    closes, times = read.below(4) > 0, _REPEATS[read.below(len(_REPEATS))]
    sizes = [1 + read.below(64) for _ in range(read.below(6))] or [2**16]
    wire = read.rest() * times
    pieces: list[bytes] = []
    at = 0
    while at < len(wire):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(wire[at : at + size])
        at += size
    whole, cut = _read([wire] if wire else []), _read(pieces)
    # Beyond the limit it depends on the pieces how much is read before that is seen.
    if whole != cut and len(wire) <= MOST:
        raise AssertionError(f"in one piece {whole!r:.200}, in {len(pieces)} {cut!r:.200}")
    judge(WiredClient(pieces, closes=closes, most=MOST))


def _read(pieces: list[bytes]) -> HTTPReply | str | None:
    """The first reply in `pieces`, an error, or None where it does not end."""
    reader = ReplyReader(MOST)
    try:
        for piece in pieces:
            if reader.feed(piece):
                return _sound(reader)
        return _sound(reader) if reader.finish() else None
    except (BrokenReplyError, ReplyTooLargeError):
        return "an error"


def _sound(reader: ReplyReader) -> HTTPReply:
    reply = reader.reply()
    if not 200 <= reply.status <= 999 or len(reply.body) > MOST:
        raise AssertionError(f"a reply of status {reply.status} and {len(reply.body)} bytes")
    for name, value in reply.texts().items():
        if "\n" in name + value or "\r" in name + value:
            raise AssertionError(f"a header of two lines: {name!r}")
    return reply


def seeds() -> list[bytes]:
    """Replies in every framing, interim ones, surplus, and what is no HTTP."""
    body = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}).encode()
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head, length = b"HTTP/1.1 200 OK\r\n", b"Content-Length: %d\r\n" % len(body)
    wires = [
        head + length + b"\r\n" + body,
        head + length + b"\r\n" + body + head + length + b"\r\n" + body,
        head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        head + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
        head + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00",
        b"HTTP/1.0 200 OK\r\n\r\n" + body,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc",
        b"HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 2\n\n{}",
        b"HTTP/1.1 204 No\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"X: y\r\n",
        b"",
    ]
    cuts = (b"\x01\x00\x00", b"\x01\x00\x01\x00", b"\x00\x00\x03\x06\x14\x00", b"\x01\x04\x02\x1f\x03")
    return [cut + wire for wire in wires for cut in cuts]


TARGET = Target(
    "wire",
    run,
    seeds,
    tokens=[
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 ",
        "\r\n\r\n",
        "Content-Length: ",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "Content-Encoding: ",
        "0\r\n\r\n",
        "100 Continue",
        '{"choices": [',
    ],
)
