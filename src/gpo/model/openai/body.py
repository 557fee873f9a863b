"""Reads a response's body under a limit, packed or not."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from gpo.errors import PermanentModelError

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 32 * 2**20
"""Of one response, unpacked: eight completions with long thoughts are a tenth of it."""
ENCODINGS = "gzip, deflate"
"""What is asked for, so that nothing comes in a form that has no limit here."""


async def read_body(response: aiohttp.ClientResponse, endpoint: str, most: int = MOST_BYTES) -> bytes:
    """The body as it came, still packed. Raises `PermanentModelError` beyond `most` bytes."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most:
            response.close()
            raise too_large(endpoint, most)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def unpacked(body: bytes, encoding: str, endpoint: str, most: int = MOST_BYTES) -> bytes:
    """`body` without its content encoding. Raises `PermanentModelError` beyond `most` bytes, `ValueError` where it is
    damaged or of an encoding that nobody asked for."""
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("", "identity"):
            continue
        if name not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(f"the encoding {name!r} is unknown")
        body = _inflated(body, name, endpoint, most)
    return body


def too_large(endpoint: str, most: int) -> PermanentModelError:
    return PermanentModelError(
        f"{endpoint}: the response is larger than {most // 2**20} MB, which no completion is",
        scope="call",
        status=200,
    )


def _inflated(body: bytes, name: str, endpoint: str, most: int) -> bytes:
    # 47: gzip or zlib by its header; a few servers send deflate without one.
    raw = name == "deflate" and body[:1] not in (
        b"\x78",
        b"\x58",
        b"\x18",
        b"\x28",
        b"\x38",
        b"\x48",
        b"\x68",
    )
    reader = zlib.decompressobj(-15 if raw else 47)
    try:
        data = reader.decompress(body, most + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(data) > most:
        raise too_large(endpoint, most)
    return data
