"""Requests and replies as bytes, and any text as something that SQLite takes and gives back unchanged.

Models write lone surrogates and NULs; both survive here.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Literal

from gpo.compact_json import compact_encoder
from gpo.model.model import Message, Reply, Request, Usage
from gpo.model.threads import LONG, read_apart

COMPRESS_FROM = 1024
"""Bytes of JSON from which compression pays."""

MOST_UNPACKED = 64 * 2**20
"""Bytes that one record may unpack to; a larger one is not compressed. A few bytes can stand for any number."""

_PLAIN = b'"],["stop"]]'
_MOST = 2**62  # what SQLite holds in an integer, with room to add up


_compact = compact_encoder(ensure_ascii=False)


def pack_request(request: Request) -> bytes:
    """Everything of `request` but its `purpose`, as JSON, compressed where large."""
    body: dict[str, Any] = {
        "messages": [[message.role, message.content] for message in request.messages],
        "prompt": request.prompt,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "n": request.n,
        "seed": request.seed,
        "stop": list(request.stop),
        "sample": request.sample,
        **({"response_format": request.response_format} if request.response_format else {}),
    }
    return _pack(body)


def unpack_request(blob: bytes, purpose: str = "") -> Request:
    """The inverse of `pack_request`. Raises `ValueError` where the bytes are damaged."""
    try:
        body = _unpack(blob)
        messages = tuple(Message(role, content) for role, content in map(_texts, body.pop("messages")))  # type: ignore[arg-type]
        stop = tuple(body.pop("stop"))
        return Request(messages=messages, stop=stop, purpose=purpose, **body)
    except (zlib.error, TypeError, KeyError, AttributeError) as error:
        raise ValueError(str(error)) from None


def pack_reply(reply: Reply) -> bytes:
    """The texts and finish reasons, and where there are some what was thought, the tokens of that and what the endpoint
    left out; the rest of usage and seconds have columns of their own."""
    told: dict[str, Any] = {}
    if any(reply.reasoning):
        told["reasoning"] = list(reply.reasoning)
    if reply.usage.reasoning_tokens:
        told["reasoning_tokens"] = reply.usage.reasoning_tokens
    if reply.left_out:
        told["left_out"] = list(reply.left_out)
    body: list[Any] = [list(reply.texts), list(reply.finish_reasons)]
    return _pack([*body, told] if told else body)


async def pack_waiting(reply: Reply) -> bytes:
    """As `pack_reply`; a long reply is packed beside the loop."""
    long = sum(map(len, reply.texts)) + sum(map(len, reply.reasoning)) > LONG
    return await read_apart(pack_reply, reply) if long else pack_reply(reply)


def unpack_reply(
    blob: bytes,
    *,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    cached_tokens: int = 0,
    seconds: float = 0.0,
    call: str | None = None,
    source: Literal["sent", "store"] = "sent",
) -> Reply:
    """The inverse of `pack_reply`, with what the columns hold. Raises `ValueError` where the bytes are damaged."""
    try:
        texts, finish_reasons, told = _parts(_unpack(blob))
        return Reply(
            texts=texts,
            finish_reasons=finish_reasons,
            usage=Usage(
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                cached_tokens=cached_tokens,
                reasoning_tokens=_number(told.get("reasoning_tokens", 0)),
            ),
            seconds=seconds,
            call=call,
            source=source,
            reasoning=_fitting(told.get("reasoning", []), texts),
            left_out=_texts(told.get("left_out", [])),
        )
    except (zlib.error, TypeError) as error:
        raise ValueError(str(error)) from None


def is_plain(blob: bytes) -> bool:
    """Whether a packed reply is surely one completion that ended by itself, with nothing else told. Not parsed: a
    quotation mark within a text is escaped, so that only the end of the whole looks like this."""
    return blob.endswith(_PLAIN) and blob.startswith(b'[["') and b'","' not in blob


def count(number: int) -> int:
    """A token count as SQLite can hold it, whatever a server claims."""
    return min(max(int(number), 0), _MOST)


def to_json(value: Any) -> str | bytes:
    """`value` as JSON for a text column."""
    return to_text(_compact(value))


def from_json(value: str | bytes) -> Any:
    """The inverse of `to_json`."""
    return json.loads(from_text(value))


def to_text(text: str) -> str | bytes:
    """`text` itself, or bytes where it has lone surrogates, which SQLite's text cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def from_text(value: str | bytes) -> str:
    """The inverse of `to_text`."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def _pack(body: Any) -> bytes:
    # Not ensure_ascii: its escapes would join two lone surrogates that stand side by side into one character.
    raw = _compact(body).encode("utf-8", "surrogatepass")
    return zlib.compress(raw, 1) if COMPRESS_FROM <= len(raw) <= MOST_UNPACKED else raw


def _unpack(blob: bytes) -> Any:
    raw = blob if blob[:1] in (b"{", b"[") else _inflate(blob)
    return json.loads(raw.decode("utf-8", "surrogatepass"))


def _inflate(blob: bytes) -> bytes:
    inflater = zlib.decompressobj()
    raw = inflater.decompress(blob, MOST_UNPACKED)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("is cut off, or unpacks to more than GPO packs")
    return raw


def _parts(body: Any) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]]:
    """Texts, finish reasons, and what else was told."""
    if not isinstance(body, list) or len(body) not in (2, 3):
        raise ValueError("is no reply")
    texts = _texts(body[0])
    told = body[2] if len(body) == 3 else {}
    if not isinstance(told, dict):
        raise ValueError("is no reply")
    return texts, _fitting(body[1], texts), told


def _fitting(value: Any, texts: tuple[str, ...]) -> tuple[str, ...]:
    """One text for each of `texts`, or none at all."""
    found = _texts(value)
    if found and len(found) != len(texts):
        raise ValueError("does not fit the number of texts")
    return found


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("is no count")
    return count(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError("is no list of texts")
    return tuple(value)
