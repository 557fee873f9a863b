"""A real HTTP server on loopback that speaks the OpenAI wire, with scripted answers and faults on plan.

It is what the tests use in place of a provider; it knows nothing of GPO. In a test: `with ModelServer(...) as server`
(or the fixture `server`) and `server.base_url`. As its own process, for runs that are killed:
`python -m tests.support.server --port 0 --script landscape`, whose first line on stdout is the base URL and which
tells its counters at `/stats`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, Self

from aiohttp import web

Answer = Callable[[dict[str, Any]], "str | list[str]"]
"""From a request's body to the text of one completion (asked for again with `seed + i` for the i-th of n), or to
all n of them."""

FaultKind = Literal[
    "429", "429_retry_after", "500", "502", "503", "reset", "truncated", "garbage", "html", "hang",
    "no_choices", "content_filter", "overflow", "quota", "wrong_key", "no_model", "loading",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Which requests fail, and how. A pure function of (seed, request, attempt): no order of arrival matters.

    `rates` gives the share (0..1) of attempts that meet each fault. After `per_request` faulty attempts a request is
    let through (None: never). `retry_after` is what "429_retry_after" asks for, `hang` how long a "hang" is, both
    in seconds.
    """

    rates: Mapping[FaultKind, float] = field(default_factory=dict)
    seed: int = 0
    per_request: int | None = None
    retry_after: str = "0.01"
    hang: float = 3600.0

    def pick(self, key: str, attempt: int) -> FaultKind | None:
        """The fault of the `attempt`-th (from 0) arrival of the request `key`."""
        if self.per_request is not None and attempt >= self.per_request:
            return None
        point = random.Random(f"{self.seed}:{key}:{attempt}").random()
        for kind, rate in self.rates.items():
            if point < rate:
                return kind
            point -= rate
        return None


@dataclass(frozen=True)
class Call:
    """One arrival: what was asked, when (`time.monotonic`), and what became of it ("ok", a fault, "aborted", …)."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    at: float
    outcome: str


@dataclass
class Stats:
    """Counters. `calls` are all arrivals, `finished` those answered in full; tokens are those of finished calls."""

    calls: int = 0
    finished: int = 0
    repeated: int = 0
    """Finished deterministic or seeded requests that had been finished before, word for word."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    concurrent: int = 0
    max_concurrent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {**vars(self), "outcomes": dict(self.outcomes), "models": dict(self.models)}


def last_text(body: Mapping[str, Any]) -> str:
    """The text that is to be answered: the last turn of a chat, or the plain prompt."""
    return str(body["messages"][-1]["content"] if "messages" in body else body["prompt"])


def all_text(body: Mapping[str, Any]) -> str:
    """Every turn, joined by empty lines."""
    if "input" in body:
        return str(body["input"])
    return (
        "\n\n".join(str(m["content"]) for m in body["messages"])
        if "messages" in body
        else str(body["prompt"])
    )


def echo(body: dict[str, Any]) -> str:
    """The default answer: the question again, and the seed where there is one, so that samples differ."""
    seed = body.get("seed")
    return last_text(body) if seed is None else f"{last_text(body)} [{seed}]"


@dataclass(kw_only=True)
class ModelServer:
    """The server; every attribute may be changed while it runs.

    `max_choices` is the most completions that a call gets whatever its `n` says (a server without `n`: 1); `refuse`
    names parameters that are answered with the 400 of the reasoning models; `models` are the names that exist
    (None: all). What goes beyond `most_at_once` calls under way or `per_second` in any second is refused with a 429
    and counted as "full". `delay` is in seconds. Tokens are words. While `gate` is cleared no call is answered: a test
    lets calls pile up (`wait_for`) and sets it again, and depends on no timing.
    """

    answer: Answer = echo
    delay: float = 0.0
    faults: Faults = field(default_factory=Faults)
    key: str | None = None
    models: frozenset[str] | None = None
    max_choices: int | None = None
    refuse: frozenset[str] = frozenset()
    cached_share: float = 0.0
    most_at_once: int | None = None
    per_second: int | None = None
    with_usage: bool = True
    keep_log: bool = True
    port: int = 0

    def __post_init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.stats = Stats()
        self.log: list[Call] = []
        self._attempts: Counter[str] = Counter()
        self._done: set[str] = set()
        self._served = 0
        self._recent: deque[float] = deque()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def base_url(self) -> str:
        """As a user writes it, with /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    def bodies(self, outcome: str = "ok") -> list[dict[str, Any]]:
        """The bodies of all logged calls that had `outcome`, in order of arrival."""
        return [call.body for call in self.log if call.outcome == outcome]

    async def wait_for(self, concurrent: int) -> None:
        """Return when that many calls are under way."""
        while self.stats.concurrent < concurrent:  # noqa: ASYNC110 - counted in another thread
            await asyncio.sleep(0.002)

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.serve(ready.set)), name="model-server", daemon=True
        )
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the test server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop and self._stop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
            self._thread = None

    def routes(self, application: web.Application) -> None:
        """More paths, of servers that speak other wires too."""

    async def serve(self, ready: Callable[[], object]) -> None:
        """Serve until stopped; `port` holds the port from the moment that `ready` is called."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_post("/v1/chat/completions", self._completions)
        application.router.add_post("/v1/completions", self._completions)
        application.router.add_post("/v1/embeddings", self._completions)
        application.router.add_get("/v1/models", self._list)
        application.router.add_get("/stats", self._stats)
        self.routes(application)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=4096)
        await site.start()
        self.port = runner.addresses[0][1]
        ready()
        try:
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        stats = self.stats
        stats.calls += 1
        stats.concurrent += 1
        stats.max_concurrent = max(stats.max_concurrent, stats.concurrent)
        arrived, body, outcome, noted = time.monotonic(), dict[str, Any](), "aborted", False
        try:
            body = await request.json()
            outcome, response = await self._handle(request, body)
            # Counted before the last byte leaves: whoever has read the answer finds it counted.
            self._count(outcome, request.path, body, response)
            self._note(outcome, request, body, arrived)
            noted = True
            await response.prepare(request)
            await response.write_eof()
            return response
        except _Drop as drop:
            outcome = drop.kind
            return drop.response
        finally:
            stats.concurrent -= 1
            if not noted:
                self._note(outcome, request, body, arrived)

    def _note(self, outcome: str, request: web.Request, body: dict[str, Any], at: float) -> None:
        self.stats.outcomes[outcome] += 1
        if self.keep_log:
            self.log.append(Call(request.path, body, request.headers.copy(), at, outcome))

    async def _handle(self, request: web.Request, body: dict[str, Any]) -> tuple[str, web.Response]:
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return "401", _error(401, f"Incorrect API key provided: {given}.", code="invalid_api_key")
        if self.models is not None and body.get("model") not in self.models:
            return "404", _error(
                404, f"The model `{body.get('model')}` does not exist", code="model_not_found"
            )
        for name in sorted(self.refuse & body.keys()):
            hint = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
            words = f"Unsupported parameter: '{name}' is not supported with this model.{hint}"
            return "400", _error(400, words, code="unsupported_parameter", param=name)
        if not self._admits():
            return "full", _error(429, "Rate limit reached")
        self._served += 1
        try:
            return await self._serve(request, body)
        finally:
            self._served -= 1

    def _admits(self) -> bool:
        if self.most_at_once is not None and self._served >= self.most_at_once:
            return False
        if self.per_second is not None:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - 1:
                self._recent.popleft()
            if len(self._recent) >= self.per_second:
                return False
            self._recent.append(now)
        return True

    async def _serve(self, request: web.Request, body: dict[str, Any]) -> tuple[str, web.Response]:
        key = request_key(request.path, body)
        attempt = self._attempts[key]
        self._attempts[key] += 1
        fault = self.faults.pick(key, attempt)
        if fault is not None and fault != "truncated":
            return fault, await self._fault(fault, request)
        while not self.gate.is_set():  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.002)
        if self.delay:
            await asyncio.sleep(self.delay)
        embeds = request.path.endswith("/embeddings")
        reply = _embedding(body) if embeds else self._reply(body, chat="messages" in body)
        if fault == "truncated":
            await self._truncate(request, json.dumps(reply).encode())
        return "ok", web.json_response(reply)

    def _count(self, outcome: str, path: str, body: dict[str, Any], response: web.Response) -> None:
        if outcome != "ok" or not isinstance(response.body, bytes):
            return
        key = request_key(path, body)
        self.stats.finished += 1
        self.stats.repeated += key in self._done
        self._done.add(key)
        self.stats.models[str(body.get("model"))] += 1
        prompt, texts = len(all_text(body).split()), self._texts(json.loads(response.body))
        self.stats.prompt_tokens += prompt
        self.stats.completion_tokens += sum(len(text.split()) for text in texts)

    @staticmethod
    def _texts(reply: dict[str, Any]) -> list[str]:
        if "data" in reply:
            return []
        return [c["message"]["content"] if "message" in c else c["text"] for c in reply["choices"]]

    def _reply(self, body: dict[str, Any], *, chat: bool) -> dict[str, Any]:
        wanted = int(body.get("n") or 1)
        count = wanted if self.max_choices is None else min(wanted, self.max_choices)
        choices = [
            {"index": i, "finish_reason": reason}
            | ({"message": {"role": "assistant", "content": text}} if chat else {"text": text})
            for i, (text, reason) in enumerate(_cut(text, body) for text in self._answers(body, count))
        ]
        reply: dict[str, Any] = {"id": "x", "model": body.get("model"), "choices": choices}
        if self.with_usage:
            prompt = len(all_text(body).split())
            completion = sum(len(text.split()) for text in self._texts(reply))
            reply["usage"] = {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
                "prompt_tokens_details": {"cached_tokens": int(self.cached_share * prompt)},
            }
        return reply

    def _answers(self, body: dict[str, Any], count: int) -> list[str]:
        texts: list[str] = []
        while len(texts) < count:
            seed = body.get("seed")
            one = body if seed is None else {**body, "seed": seed + len(texts)}
            answer = self.answer(one)
            texts += [answer] if isinstance(answer, str) else answer
        return texts[:count]

    async def _fault(self, kind: FaultKind, request: web.Request) -> web.Response:
        if kind == "reset":
            if request.transport is not None:
                request.transport.abort()
            raise _Drop(kind)
        if kind == "hang":
            await asyncio.sleep(self.faults.hang)
        if kind == "429_retry_after":
            words = "Rate limit reached"
            return _error(429, words, headers={"Retry-After": self.faults.retry_after})
        return _FAULTS.get(kind, lambda: _error(500, kind))()

    async def _truncate(self, request: web.Request, data: bytes) -> None:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(data)
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        if request.transport is not None:
            request.transport.close()
        raise _Drop("truncated", response)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in sorted(self.models or ())]})

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response(self.stats.as_dict())


class _Drop(Exception):
    """The connection was broken on purpose: there is no response to send."""

    def __init__(self, kind: str, response: web.StreamResponse | None = None) -> None:
        self.kind, self.response = kind, response or web.Response()


def _embedding(body: dict[str, Any]) -> dict[str, Any]:
    """A vector of how often each letter stands in the text, of any length."""
    text = str(body["input"]).lower()
    vector = [text.count(letter) + 0.5 for letter in "abcdefghijklmnopqrstuvwxyz"]
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "model": body.get("model"),
        "usage": {"prompt_tokens": len(text.split()), "total_tokens": len(text.split())},
    }


def request_key(path: str, body: dict[str, Any]) -> str:
    """A name for a request: equal for equal bodies."""
    return blake2b(f"{path} {json.dumps(body, sort_keys=True)}".encode(), digest_size=12).hexdigest()


def _cut(text: str, body: dict[str, Any]) -> tuple[str, str]:
    """`text` as `stop` and the token limit leave it, and the finish reason."""
    for stop in body.get("stop") or ():
        text = text.split(stop)[0]
    limit = body.get("max_tokens") or body.get("max_completion_tokens")
    words = text.split()
    return (" ".join(words[:limit]), "length") if limit and len(words) > limit else (text, "stop")


def _error(
    status: int, message: str, *, code: str = "error", param: str | None = None, headers: Any = None
) -> web.Response:
    error = {"message": message, "type": code, "code": code, "param": param}
    return web.json_response({"error": error}, status=status, headers=headers)


_FILTERED = {"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "content_filter"}
_FAULTS: dict[str, Callable[[], web.Response]] = {
    "429": lambda: _error(429, "Rate limit reached"),
    "500": lambda: _error(500, "The server had an error"),
    "502": lambda: web.Response(
        status=502, text="<html><h1>Bad gateway</h1></html>", content_type="text/html"
    ),
    "503": lambda: _error(503, "The server is overloaded"),
    "loading": lambda: _error(503, "Loading model"),
    "hang": lambda: _error(504, "timeout"),
    "garbage": lambda: web.Response(text="}{ not \x00 JSON", content_type="application/json"),
    "html": lambda: web.Response(text="<html>Log in to the network</html>", content_type="text/html"),
    "no_choices": lambda: web.json_response({"choices": []}),
    "content_filter": lambda: web.json_response({"choices": [_FILTERED]}),
    "overflow": lambda: _error(
        400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded"
    ),
    "quota": lambda: _error(429, "You exceeded your current quota.", code="insufficient_quota"),
    "wrong_key": lambda: _error(401, "Incorrect API key provided.", code="invalid_api_key"),
    "no_model": lambda: _error(404, "The model does not exist", code="model_not_found"),
}


def main() -> None:
    """Serve in this process until it is killed."""
    from tests.support.landscape import Landscape

    scripts: dict[str, Answer] = {"echo": echo, "landscape": Landscape().answer}
    parser = argparse.ArgumentParser(prog="python -m tests.support.server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", choices=sorted(scripts), default="echo")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a call")
    parser.add_argument("--faults", type=json.loads, default={}, help='such as {"500": 0.05}')
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    options = parser.parse_args()
    server = ModelServer(
        answer=scripts[options.script],
        delay=options.delay,
        faults=Faults(rates=options.faults, seed=options.seed),
        port=options.port,
        keep_log=False,
    )

    def ready() -> None:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()

    asyncio.run(server.serve(ready))


if __name__ == "__main__":
    main()
