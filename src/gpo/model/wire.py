"""The OpenAI wire over aiohttp: chat completions, and plain completions for base models.

Knows one endpoint and one key. Retries, limits, prices and stores are other layers; what went wrong is told in
`gpo.model.wire_errors`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import aiohttp

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.identity import clean_url, wire_identity
from gpo.model.model import Model, Reply, Request, Usage
from gpo.model.wire_errors import connection_error, response_error, unreadable_error


class Wire:
    """One model at one endpoint. `timeout` is in seconds for a whole call; `api_key` None sends no key."""

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        identity: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self._base = clean_url(base_url)
        self._model = model
        self._key = api_key
        self._identity = identity or wire_identity(base_url, model)
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(10.0, timeout))
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # What the endpoint turned out to lack; found out once and remembered.
        self._one_at_a_time = False
        self._dropped: frozenset[str] = frozenset()

    @property
    def identity(self) -> str:
        """Endpoint and model, without secrets."""
        return self._identity

    async def complete(self, request: Request) -> Reply:
        """Send `request`. A server that answers with fewer than `n` completions is asked for the others one by one.

        Raises `TransientModelError` and `PermanentModelError`.
        """
        started = time.monotonic()
        first = replace(request, n=1) if self._one_at_a_time else request
        replies = [await self._call(first)]
        got = len(replies[0].texts)
        if got < request.n:
            self._one_at_a_time = True
            # A seed of its own for each: the same seed would bring the same text again.
            rest = [
                replace(request, n=1, seed=None if request.seed is None else request.seed + index)
                for index in range(got, request.n)
            ]
            replies += await _all(self, rest)
        return _merged(replies, request.n, time.monotonic() - started)

    async def aclose(self) -> None:
        """Close the connections. May be called more than once."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()

    async def _call(self, request: Request) -> Reply:
        path = "/chat/completions" if request.prompt is None else "/completions"
        status, headers, body = await self._post(path, self._body(request))
        if status == 400 and (lacking := _unsupported(body)) and lacking not in self._dropped:
            self._dropped |= {lacking}
            return await self._call(request)
        if status != 200:
            raise response_error(status, headers, body, endpoint=self._identity, key=self._key)
        return self._reply(body)

    async def _post(self, path: str, body: dict[str, Any]) -> tuple[int, Any, bytes]:
        data = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
        try:
            async with self._open().post(self._base + path, data=data) as response:
                return response.status, response.headers, await response.read()
        except TimeoutError:
            raise TransientModelError(f"{self._identity}: no answer in {self._timeout.total:g} s") from None
        except aiohttp.InvalidURL:
            raise PermanentModelError(
                f"{self._base} is not the address of a server: check base_url"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise connection_error(error, self._base) from None

    def _open(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            headers = {"Content-Type": "application/json"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            # How many calls are under way is another layer's business: the pool itself has no limit.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
                timeout=self._timeout,
                headers=headers,
                auto_decompress=True,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._loop = loop
        return self._session

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._model}
        if request.prompt is None:
            body["messages"] = [{"role": m.role, "content": m.content} for m in request.messages]
        else:
            body["prompt"] = request.prompt
        if "temperature" not in self._dropped:
            body["temperature"] = request.temperature
        body["max_completion_tokens" if "max_tokens" in self._dropped else "max_tokens"] = request.max_tokens
        if request.n > 1:
            body["n"] = request.n
        if request.seed is not None and "seed" not in self._dropped:
            body["seed"] = request.seed
        if request.stop and "stop" not in self._dropped:
            body["stop"] = list(request.stop)
        return body

    def _reply(self, body: bytes) -> Reply:
        try:
            data = json.loads(body)
            choices = sorted(data["choices"], key=lambda choice: choice.get("index", 0))
            texts = tuple(_text(choice) for choice in choices)
            finished = tuple(str(choice.get("finish_reason") or "") for choice in choices)
            usage = _usage(data.get("usage"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise unreadable_error(body, endpoint=self._identity, key=self._key) from None
        if not texts:
            raise TransientModelError(
                f"{self._identity}: the server answered without a completion", status=200
            )
        if all(reason == "content_filter" for reason in finished):
            raise PermanentModelError(f"{self._identity}: the content filter refused the call", scope="call")
        return Reply(texts=texts, finish_reasons=finished, usage=usage)


async def _all(wire: Model, requests: Sequence[Request]) -> list[Reply]:
    """All replies in order; the first failure cancels the others."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_guarded(wire, request)) for request in requests]
    results = [task.result() for task in tasks]
    if errors := [result for result in results if isinstance(result, Exception)]:
        raise errors[0]
    return [result for result in results if isinstance(result, Reply)]


async def _guarded(wire: Any, request: Request) -> Reply | Exception:
    try:
        reply: Reply = await wire._call(request)
    except (TransientModelError, PermanentModelError) as error:
        return error
    return reply


def _merged(replies: Sequence[Reply], n: int, seconds: float) -> Reply:
    usages = [reply.usage for reply in replies]
    return Reply(
        texts=tuple(text for reply in replies for text in reply.texts)[:n],
        finish_reasons=tuple(reason for reply in replies for reason in reply.finish_reasons)[:n],
        usage=Usage(
            prompt_tokens=sum(usage.prompt_tokens for usage in usages),
            completion_tokens=sum(usage.completion_tokens for usage in usages),
            cached_tokens=sum(usage.cached_tokens for usage in usages),
        ),
        seconds=seconds,
    )


def _text(choice: dict[str, Any]) -> str:
    # A content of null is an empty text: a model that stops at once said nothing, and that is an answer.
    text = choice["message"].get("content") if "message" in choice else choice["text"]
    if text is None:
        return ""
    if not isinstance(text, str):
        raise TypeError("content is no text")
    return text


def _usage(data: Any) -> Usage:
    if not isinstance(data, dict):
        return Usage()
    details = data.get("prompt_tokens_details") or {}
    return Usage(
        prompt_tokens=int(data.get("prompt_tokens") or 0),
        completion_tokens=int(data.get("completion_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
    )


def _unsupported(body: bytes) -> str | None:
    """The parameter that a server says it does not take (reasoning models take neither max_tokens nor a
    temperature), or None."""
    try:
        error = json.loads(body)["error"]
        parameter, message = error.get("param"), str(error.get("message")).lower()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if parameter in ("max_tokens", "temperature", "seed", "stop") and (
        "unsupported" in message or "not support" in message
    ):
        return str(parameter)
    return None
