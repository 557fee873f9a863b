"""A loopback proxy that counts: every arm, ours or a peer's, asks one endpoint through it, a role at its own address.

It passes bodies on as they are and reads the usage of what comes back.
"""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from benchmarks.proof.asking import Used
from benchmarks.proof.deadline import Deadline
from benchmarks.proof.endpoint import Endpoint, served
from benchmarks.proof.kept import KeptAnswers
from gpo.errors import ConfigError

_TIMEOUT = aiohttp.ClientTimeout(total=900)


class CountingProxy:
    """Serves `endpoint` at `url(RUN, ROLE)` in a thread of its own while the context is open; a model of this machine
    runs for that long. `port` and `token` are part of the addresses: runs that are to go on need the same ones, and
    runs of two comparisons never share them. What is in `kept` is answered, and counted, without the endpoint. After
    `deadline` every call is refused as one that would fail again. Raises `GPOError` where the model or the port cannot
    be opened."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        port: int = 0,
        token: str = "proof",
        deadline: Deadline | None = None,
        kept: KeptAnswers | None = None,
    ) -> None:
        self._endpoint = endpoint
        self.deadline = deadline or Deadline()
        self._kept = kept
        self._refused: set[str] = set()
        self._caps: dict[tuple[str, str], int] = {}
        self._over: dict[tuple[str, str], int] = {}
        self._port = self.port = port
        self._token = token
        self._used: dict[tuple[str, str], Used] = {}
        self._base = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._up: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._up.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def url(self, run: str, role: str) -> str:
        """The address of one role of one run: answers of different runs are never taken for each other's."""
        return f"{self._base}/{self._token}/{run}/{role}/v1"

    def used(self, run: str, role: str) -> Used:
        """What was answered there so far."""
        return self._used.setdefault((run, role), Used())

    def refused(self, run: str) -> bool:
        """Whether a call of `run` came after the deadline."""
        return run in self._refused

    def cap(self, run: str, role: str, calls: int) -> None:
        """No more than `calls` are passed on there; those beyond are refused as ones that would fail again."""
        self._caps[run, role] = calls

    def over(self, run: str, role: str) -> int:
        """Calls that were refused there since the cap was reached."""
        return self._over.get((run, role), 0)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            async with (
                served(self._endpoint) as (base, key),
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            ):
                app = web.Application(client_max_size=2**26)

                async def pass_on(request: web.Request) -> web.Response:
                    return await self._pass_on(request, session, base, key)

                app.router.add_post("/{token}/{run}/{role}/v1/{tail:.*}", pass_on)
                runner = web.AppRunner(app, access_log=None)
                await runner.setup()
                site = web.TCPSite(runner, "127.0.0.1", self._port)
                await site.start()
                host, port = runner.addresses[0][:2]
                self._base, self.port = f"http://{host}:{port}", int(port)
                self._up.set_result(None)
                try:
                    await self._stop.wait()
                finally:
                    await runner.cleanup()
        except OSError as error:
            self._fail(
                ConfigError(f"port {self._port}: cannot be opened ({error.strerror}); end what uses it")
            )
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._up.done():
            raise error
        self._up.set_exception(error)

    async def _pass_on(
        self, request: web.Request, session: aiohttp.ClientSession, base: str, key: str | None
    ) -> web.Response:
        place = request.match_info["run"], request.match_info["role"]
        if self.deadline.passed:
            self._refused.add(place[0])
            return web.json_response({"error": {"message": "the minutes are over"}}, status=402)
        if self._caps.get(place, 1) < 1:
            self._over[place] = self.over(*place) + 1
            return web.json_response({"error": {"message": "the calls are spent"}}, status=402)
        # Set aside before it is sent, so that calls under way cannot go beyond the cap together.
        self._take(place, 1)
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        body = await request.read()
        known, answered = self._kept.take(place, body) if self._kept else ("", None)
        if answered is not None:
            self._count(*place, answered)
            return web.Response(body=answered, content_type="application/json")
        try:
            async with session.post(
                f"{base}/{request.match_info['tail']}", data=body, headers=headers
            ) as answer:
                text, status = await answer.read(), answer.status
                kind = answer.content_type
        except (aiohttp.ClientError, TimeoutError) as error:
            self._take(place, -1)
            return web.json_response({"error": {"message": type(error).__name__}}, status=502)
        if status == 200:
            self._count(*place, text)
            if self._kept:
                self._kept.keep(known, text, body)
        else:
            self._take(place, -1)
        return web.Response(body=text, status=status, content_type=kind)

    def _take(self, place: tuple[str, str], calls: int) -> None:
        if place in self._caps:
            self._caps[place] -= calls

    def _count(self, run: str, role: str, text: bytes) -> None:
        try:
            reply: dict[str, Any] = json.loads(text)
            usage, completions = reply.get("usage") or {}, len(reply.get("choices", ()))
        except (ValueError, AttributeError):
            return
        self.used(run, role).add(
            completions, int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        )
