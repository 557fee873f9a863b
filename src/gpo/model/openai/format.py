"""The JSON of the OpenAI wire: from a request to a body, and from a body to a reply.

Knows no connection and no endpoint. A body that is not of the wire's shape is a `ValueError`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from gpo.errors import PermanentModelError
from gpo.model.model import Reply, Request, Usage
from gpo.model.openai.errors import EmptyReplyError, Secrets, clean, redact

_MOST_TOKENS = 2**40
"""More than any call can have; so many that a million such calls still add up to an integer of SQLite."""

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(
    request: Request, model: str, lacking: Collection[str] = (), more: Mapping[str, Any] | None = None
) -> bytes:
    """The body for `request`. `lacking` names the parameters that the endpoint does not take, `more` holds its own."""
    body: dict[str, Any] = {"model": model, **(more or {})}
    if request.prompt is None:
        body["messages"] = [{"role": m.role, "content": m.content} for m in request.messages]
    else:
        body["prompt"] = request.prompt
    body["max_completion_tokens" if "max_tokens" in lacking else "max_tokens"] = request.max_tokens
    if "temperature" not in lacking:
        body["temperature"] = request.temperature
    if request.n > 1 and "n" not in lacking:
        body["n"] = request.n
    if request.seed is not None and "seed" not in lacking:
        body["seed"] = request.seed
    if request.stop and "stop" not in lacking:
        body["stop"] = list(request.stop)
    # A lone surrogate has no UTF-8 form and makes strict servers refuse the whole body.
    return _compact(body).encode("utf-8", "replace")


def decode(
    body: bytes, request: Request, endpoint: str, lacking: Collection[str] = (), *, key: Secrets = None
) -> Reply:
    """The reply that `body` holds, with at least one and at most `request.n` texts.

    A content of null after a finish by "stop" or "length" is an empty text. Raises `ValueError` where `body` is no
    completion, `EmptyReplyError` where it has no choices, and `PermanentModelError` (scope "call") where they hold no
    text: a filter, a refusal. Of several choices those that were filtered are empty texts, and their finish reason says
    so. What an error repeats of `body` is without `key`.
    """
    data = json.loads(body)
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise ValueError("no choices")
    choices = [choice for choice in data["choices"] if isinstance(choice, dict)]
    if not choices or len(choices) < len(data["choices"]):
        raise EmptyReplyError(f"{endpoint}: answered without a completion", status=200)
    if len(choices) > 1:
        choices.sort(key=_index)
    choices = choices[: request.n]
    read = [_read(choice) for choice in choices]
    if all(isinstance(text, _NoText) for text in read):
        reason = clean(redact(read[0], key))
        raise PermanentModelError(f"{endpoint}: {reason}", scope="call", status=200)
    texts = ["" if isinstance(text, _NoText) else text for text in read]
    if "stop" in lacking:
        texts = [_until(text, request.stop) for text in texts]
    return Reply(
        texts=tuple(texts),
        finish_reasons=tuple(str(choice.get("finish_reason") or "") for choice in choices),
        usage=_usage(data.get("usage")),
    )


class _NoText(str):
    """Why a choice has no text."""


def _read(choice: dict[str, Any]) -> str:
    reason = choice.get("finish_reason")
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    if reason == "content_filter":
        return _NoText("the content filter refused the call")
    if isinstance(text, list):  # content parts, as some gateways write them
        text = "".join(str(part.get("text") or "") for part in text if isinstance(part, dict))
    if text is None:
        if isinstance(message, dict) and isinstance(message.get("refusal"), str):
            return _NoText(f"the model refused: {message['refusal']}")
        # A model that stops at once said nothing, and that is an answer.
        return "" if reason in ("stop", "length") else _NoText(f"answered without a text ({reason})")
    if not isinstance(text, str):
        raise ValueError("the content is no text")
    # Escapes of lone surrogates are legal JSON; no file and no database takes them.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _until(text: str, stops: Collection[str]) -> str:
    ends = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _usage(data: Any) -> Usage:
    if not isinstance(data, dict):
        return Usage()
    prompt = _count(data.get("prompt_tokens"))
    details = data.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=_count(data.get("completion_tokens")),
        cached_tokens=min(prompt, cached),
    )


def _count(value: Any) -> int:
    return min(max(0, value), _MOST_TOKENS) if isinstance(value, int) else 0
