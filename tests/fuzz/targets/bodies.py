"""Response bodies as they come: packed in some way, in pieces, with whatever the headers say of them."""

from __future__ import annotations

import gzip
import json
import zlib

from tests.fuzz.targets.canned import CannedClient
from tests.fuzz.targets.replies import STATUSES, judge
from tests.fuzz.targets.target import Input, Target, text

ENCODINGS = ("gzip", "deflate", "gzip, gzip", "deflate, gzip", "identity", "br", "x-gzip", "")
CHUNKS = (1, 7, 1000, 2**16)
_LONG = 2**17
_REPEATS = (1, 1, 1, 2, 300, 20_000)


def run(data: bytes) -> None:
    """The first bytes choose the encoding, the status, the pieces, whether the rest is packed truly, and how often it
    is repeated before."""
    read = Input(data)
    encoding, status = ENCODINGS[read.below(len(ENCODINGS))], STATUSES[read.below(len(STATUSES))]
    chunks, packed = CHUNKS[read.below(len(CHUNKS))], read.below(4)
    times = _REPEATS[read.below(len(_REPEATS))]
    if encoding == "":
        encoding = text(read.take(read.below(24)))
    body = read.rest() * times
    if packed:
        for name in [part.strip() for part in encoding.split(",")]:
            body = pack(body, name, raw=packed == 2)
        if packed == 3:
            body = body[: len(body) // 2]
    if len(body) > _LONG:
        # A megabyte a byte at a time is slow in every reader, and says nothing of this one.
        chunks = max(chunks, 1000)
    judge(CannedClient(status, {"Content-Encoding": encoding}, body, chunks))


def pack(body: bytes, name: str, *, raw: bool = False) -> bytes:
    """`body` in the encoding `name`, `raw` without a header; as it is where that is none that is known here."""
    if name in ("gzip", "x-gzip"):
        return gzip.compress(body, 1, mtime=0)
    if name == "deflate":
        packer = zlib.compressobj(1, wbits=-15 if raw else 15)
        return packer.compress(body) + packer.flush()
    return body


def seeds() -> list[bytes]:
    """A completion and an error in every encoding, whole, cut, and as if it were packed."""
    completion = {
        "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    bodies = (json.dumps(completion).encode(), b'{"error": {"message": "no"}}', b'{"choices": [' + b"[" * 90)
    found = [
        bytes([encoding, 0, number % len(CHUNKS), packed, 0]) + body
        for encoding in range(len(ENCODINGS))
        for number, body in enumerate(bodies)
        for packed in range(4)
    ]
    # Repeated: long texts, deep nesting, and bodies that unpack to many times their size.
    found += [
        bytes([encoding, 0, 3, 1, 5]) + part for encoding in (0, 2) for part in (b"[", b'{"a":', b" " * 2000)
    ]
    return found + [bytes([0, status, 0, 1, 0]) + bodies[1] for status in range(3, len(STATUSES))]


TARGET = Target(
    "body",
    run,
    seeds,
    tokens=[
        "\x1f\x8b\x08",
        "x\x9c",
        "gzip",
        "deflate",
        '"choices":',
        '"message":',
        '"content":',
        '{"error":',
        "[[",
        "null",
    ],
)
