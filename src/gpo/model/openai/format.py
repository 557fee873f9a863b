"""The JSON of the OpenAI wire: from a request to a body, and from a body to a reply.

A body that is not of the wire's shape is a `ValueError`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gpo.compact_json import compact_encoder
from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.finish import CUT, FAILED, FILTERED, STOPPED, finish_reason
from gpo.model.model import Reply, Request, Usage
from gpo.model.openai.errors import EmptyReplyError, Secrets, clean, redact
from gpo.model.openai.trials import folded, sent

_MOST_TOKENS = 2**40
"""More than any call can have; so many that a million such calls still add up to an integer of SQLite."""

_REASONING = (
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "thinking",
    "thoughts",
    "thinking_blocks",
)
"""Fields of a message for what the model thought, as different servers call them."""

_compact = compact_encoder(ensure_ascii=False)
_decode_json = json.JSONDecoder().decode
_PLAIN = (b'{"', b"{\n", b"{ ")
"""How a body may begin that is surely UTF-8."""


def encode(
    request: Request, model: str, lacking: Collection[str] = (), more: Mapping[str, Any] | None = None
) -> bytes:
    """The body for `request`. `lacking` names the parameters that the endpoint does not take, `more` holds its own."""
    body: dict[str, Any] = {"model": model, **(more or {})}
    if request.prompt is None:
        turns = folded(request.messages) if "system" in lacking else request.messages
        body["messages"] = [{"role": m.role, "content": m.content} for m in turns]
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
    if request.response_format and "response_format" not in lacking:
        body["response_format"] = json.loads(request.response_format)
    # A lone surrogate has no UTF-8 form and makes strict servers refuse the whole body.
    return _compact(body).encode("utf-8", "replace")


def decode(
    body: bytes,
    request: Request,
    endpoint: str,
    lacking: Collection[str] = (),
    *,
    key: Secrets = None,
    seconds: float = 0.0,
) -> Reply:
    """The reply that `body` holds, with at least one and at most `request.n` texts.

    A content of null after a finish by "stop" or "length" is an empty text. Raises `ValueError` where `body` is no
    completion, `EmptyReplyError` where it has no choices, `TransientModelError` where a completion broke off by an
    error, and `PermanentModelError` (scope "call") where they hold no text: a filter, a refusal. Of several choices
    those that were filtered are empty texts, and their finish reason says so. What an error repeats of `body` is
    without `key`.
    """
    data = _parse(body)
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise ValueError("no choices")
    choices = [choice for choice in data["choices"] if isinstance(choice, dict)]
    if not choices or len(choices) < len(data["choices"]):
        raise EmptyReplyError(f"{endpoint}: answered without a completion", status=200)
    if len(choices) > 1:
        choices.sort(key=_index)
    choices = choices[: request.n]
    reasons = tuple([finish_reason(choice.get("finish_reason")) for choice in choices])
    if FAILED in reasons:
        word = clean(redact(str(choices[reasons.index(FAILED)].get("finish_reason")), key))
        raise TransientModelError(f"{endpoint}: the completion broke off ({word!r})", status=200)
    read = [_read(choice, reason) for choice, reason in zip(choices, reasons, strict=True)]
    if all(isinstance(text, _NoText) for text in read):
        why = clean(redact(read[0], key))
        raise PermanentModelError(f"{endpoint}: {why}", scope="call", status=200)
    texts = ["" if isinstance(text, _NoText) else text for text in read]
    if "stop" in lacking:
        texts = [_until(text, request.stop) for text in texts]
    reasoning = tuple([_reasoning(choice) for choice in choices])
    return Reply(
        texts=tuple(texts),
        finish_reasons=reasons,
        usage=_usage(data.get("usage")),
        seconds=seconds,
        reasoning=reasoning if any(reasoning) else (),
        left_out=tuple(sorted(sent(request) & frozenset(lacking))) if lacking else (),
    )


def _parse(body: bytes) -> Any:
    # What `json.loads` does, without looking for the encoding of what is plainly UTF-8.
    return _decode_json(body.decode("utf-8", "surrogatepass")) if body[:2] in _PLAIN else json.loads(body)


class _NoText(str):
    """Why a choice has no text."""


def _read(choice: dict[str, Any], reason: str) -> str:
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    if reason == FILTERED:
        return _NoText("the content filter refused the call")
    if isinstance(text, list):  # content parts, as some gateways write them
        text = "".join(
            str(part.get("text") or "") for part in text if isinstance(part, dict) and not _thinks(part)
        )
    if text is None:
        if isinstance(message, dict) and isinstance(message.get("refusal"), str):
            return _NoText(f"the model refused: {message['refusal']}")
        # A model that stops at once said nothing, and that is an answer.
        return "" if reason in (STOPPED, CUT) else _NoText(f"answered without a text ({reason or None})")
    if not isinstance(text, str):
        raise ValueError("the content is no text")
    return _writable(text)


def _writable(text: str) -> str:
    # Escapes of lone surrogates are legal JSON; no file and no database takes them.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _thinks(part: dict[str, Any]) -> bool:
    kind = str(part.get("type") or "")
    return "think" in kind or "reason" in kind or part.get("thought") is True


def _reasoning(choice: dict[str, Any]) -> str:
    """What stands beside the content of a choice as thoughts: a field of its own, or parts of the content."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return ""
    for name in _REASONING:
        if value := message.get(name):
            return _writable("\n\n".join(_thoughts(value)))
    content = message.get("content")
    if not isinstance(content, list):
        return ""
    return _writable("\n\n".join(_thoughts([p for p in content if isinstance(p, dict) and _thinks(p)])))


def _thoughts(value: Any) -> Iterator[str]:
    """The texts in what an endpoint tells of thoughts: a text, parts with a text, or parts with parts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        inner = next((value[key] for key in ("thinking", "text", "summary", "content") if value.get(key)), ())
        if isinstance(inner, str | list):
            yield from _thoughts(inner)
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, str | dict):
                yield from _thoughts(part)


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _until(text: str, stops: Collection[str]) -> str:
    ends = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _usage(data: Any) -> Usage:
    """Tokens as the server counted them; what was thought counts as completion, which is how it is charged."""
    if not isinstance(data, dict):
        return Usage()
    prompt, completion = _count(data.get("prompt_tokens")), _count(data.get("completion_tokens"))
    cached = _detail(data, "prompt_tokens_details", "cached_tokens")
    reasoning = _detail(data, "completion_tokens_details", "reasoning_tokens") or _count(
        data.get("reasoning_tokens")
    )
    # Some endpoints count thoughts beside the completion, and some in the total alone.
    beside = _count(data.get("total_tokens")) - prompt - completion
    if beside > 0 and beside >= reasoning and completion + beside < _MOST_TOKENS:
        completion, reasoning = completion + beside, reasoning or beside
    elif reasoning > completion:
        completion += reasoning
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=min(completion, _MOST_TOKENS),
        cached_tokens=min(prompt, cached),
        reasoning_tokens=min(reasoning, completion, _MOST_TOKENS),
    )


def _detail(data: dict[str, Any], section: str, name: str) -> int:
    details = data.get(section)
    return _count(details.get(name)) if isinstance(details, dict) else 0


def _count(value: Any) -> int:
    return min(max(0, value), _MOST_TOKENS) if isinstance(value, int) else 0
