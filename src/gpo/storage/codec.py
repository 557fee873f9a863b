"""Requests and replies as bytes, and any text as something that SQLite takes and gives back unchanged.

Knows no table and no file. Models write lone surrogates and NULs; both survive here.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Literal

from gpo.model.model import Message, Reply, Request, Usage

COMPRESS_FROM = 1024
"""Bytes of JSON from which compression pays."""

_MOST = 2**62  # what SQLite holds in an integer, with room to add up


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
    }
    return _pack(body)


def unpack_request(blob: bytes, purpose: str = "") -> Request:
    """The inverse of `pack_request`. Raises `ValueError` where the bytes are damaged."""
    try:
        body = _unpack(blob)
        messages = tuple(Message(role, content) for role, content in body.pop("messages"))
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
        texts, finish_reasons, *more = _unpack(blob)
        told = more[0] if more else {}
        return Reply(
            texts=tuple(texts),
            finish_reasons=tuple(finish_reasons),
            usage=Usage(
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                cached_tokens=cached_tokens,
                reasoning_tokens=count(told.get("reasoning_tokens", 0)),
            ),
            seconds=seconds,
            call=call,
            source=source,
            reasoning=tuple(told.get("reasoning", ())),
            left_out=tuple(told.get("left_out", ())),
        )
    except (zlib.error, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


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
    return zlib.compress(raw, 1) if len(raw) >= COMPRESS_FROM else raw


def _unpack(blob: bytes) -> Any:
    raw = blob if blob[:1] in (b"{", b"[") else zlib.decompress(blob)
    return json.loads(raw.decode("utf-8", "surrogatepass"))
