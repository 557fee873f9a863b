"""A model that runs on this machine: the wire client, pointed at an engine process started when needed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.local.engine import Engine, EngineSettings, Server
from gpo.model.model import Reply, Request
from gpo.model.openai.additions import Additions
from gpo.model.openai.client import OpenAIClient

if TYPE_CHECKING:
    import aiohttp

_ATTEMPTS = 3
T = TypeVar("T")


class EmbeddedModel:
    """A GGUF model behind the `Model` protocol. Use `open_embedded` to get one; one event loop a handle.

    `engine` is shared with the handles of equal weights and settings from the first use on: one that is opened and
    never used keeps no engine alive, whether it is closed or not.
    """

    def __init__(
        self, engine: Engine, *, identity: str, timeout: float = 600.0, added: Additions | None = None
    ) -> None:
        self.engine = engine
        self._uses = False
        self._weights = identity
        self._added = added or Additions()
        self._identity = self._added.identity(identity)
        self._timeout = timeout
        self._wires: dict[Server, OpenAIClient] = {}
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def identity(self) -> str:
        """`local/NAME@HASH`: the weights, and nothing of this machine."""
        return self._identity

    @property
    def slots(self) -> int:
        """Completions that the engine works on at once; what is asked beyond that waits in its queue."""
        return self.engine.settings.slots

    async def start(self) -> None:
        """Load the model now, not at the first call. Raises `PermanentModelError`."""
        await self._server()

    async def complete(self, request: Request) -> Reply:
        """Answer `request` with at most as many completions as there are slots: the engine refuses more at once, and
        gives the i-th the seed `seed + i`. A call that an engine crash cut off is made again.

        Raises `PermanentModelError` (scope "call" when the request does not fit the context) and
        `TransientModelError`.
        """
        if request.n > self.slots:
            request = replace(request, n=self.slots)
        return await self._complete(request)

    async def aclose(self) -> None:
        """Close the connections; the engine stops with its last user."""
        if self._closed:
            return
        self._closed = True
        for wire in self._wires.values():
            await wire.aclose()
        if self._session:
            await self._session.close()
        if self._uses and _release(self.engine):
            await _in_own_thread(self.engine.close)

    async def _complete(self, request: Request) -> Reply:
        # Without a group, and where several completions are asked for, the engine finds the slots that fit by itself.
        slots = self._shared().slots
        slot = slots.take(request.prefix_group) if request.prefix_group and request.n == 1 else None
        if slot is None:
            return await self._sent(request, None)
        try:
            return await self._sent(request, {"id_slot": slot})
        finally:
            slots.give(slot)

    async def embed(self, text: str, most: int) -> bytes:
        """What the engine answers to the first `most` tokens of `text` at /embeddings. Raises as `complete` does."""

        async def ask(server: Server) -> bytes:
            # A token has a byte at least. Its mark of a beginning is among those that are counted.
            whole = len(text.encode()) < most
            tokens = text if whole else (await self._tokens(server, text, special=True))[:most]
            return await self._wire(server).post_embedding(tokens)

        return await self._until_up(ask)

    async def _sent(self, request: Request, more: Mapping[str, Any] | None) -> Reply:
        async def ask(server: Server) -> Reply:
            asked, fields = request, more
            if server.guidance and (grammar := grammar_of(request.response_format)):
                asked, fields = replace(request, response_format=""), {**(more or {}), "grammar": grammar}
            reply = await self._wire(server).complete(asked, fields)
            return await self._count_tokens(server, reply) if request.n > 1 else reply

        return await self._until_up(ask)

    async def _until_up(self, ask: Callable[[Server], Awaitable[T]]) -> T:
        """What `ask` gets of the engine, asked again where a crash cut it off."""
        for _ in range(_ATTEMPTS):
            server = await self._server()
            try:
                return await ask(server)
            except TransientModelError as error:
                # The connection breaks a moment before the process is seen to be gone.
                crashed = error.status is None and await asyncio.to_thread(server.gone.wait, 1.0)
                if not crashed or self._closed:
                    raise
        raise PermanentModelError(
            f"{self._identity}: the engine crashed {_ATTEMPTS} times on one call", scope="call"
        )

    async def _count_tokens(self, server: Server, reply: Reply) -> Reply:
        """`reply` with the completion tokens of all its texts; the engine reports the first one's."""
        tokens = reply.usage.completion_tokens
        for text, reason in zip(reply.texts[1:], reply.finish_reasons[1:], strict=False):
            # The end of a reply that stopped by itself is a token too.
            tokens += len(await self._tokens(server, text)) + (reason == "stop")
        return replace(reply, usage=replace(reply.usage, completion_tokens=tokens))

    async def _tokens(self, server: Server, text: str, *, special: bool = False) -> list[int]:
        """The tokens of `text`, with `special` also those that the model wants around one."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        try:
            async with self._session.post(
                f"{server.url}/tokenize",
                json={"content": text, "add_special": special},
                headers={"Authorization": f"Bearer {server.key}"},
            ) as response:
                return list((await response.json())["tokens"])
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransientModelError(f"{self._identity}: {type(error).__name__}") from None

    async def _server(self) -> Server:
        engine = self._shared()
        if up := engine.server:
            return up
        return await asyncio.to_thread(engine.start)

    def _shared(self) -> Engine:
        if self._closed:
            raise PermanentModelError(f"{self._identity}: closed")
        if not self._uses:
            self.engine = _use(self.engine, self._weights)
            self._uses = True
        return self.engine

    def _wire(self, server: Server) -> OpenAIClient:
        if server not in self._wires:
            self._wires[server] = OpenAIClient(
                base_url=f"{server.url}/v1",
                api_key=server.key,
                model=self.engine.name,
                identity=self._weights,
                timeout=self._timeout,
                added=self._added,
            )
        return self._wires[server]


def grammar_of(form: str) -> str:
    """The grammar of llguidance for the schema of `form` (a `response_format`, "" for none), "" where it has none.

    Left to itself llama.cpp allows spaces between all parts and after the last one, and a small model writes them until
    its tokens are spent. What a schema says beyond what the grammar knows is left to the reader.
    """
    schema = json.loads(form).get("json_schema", {}).get("schema") if form else None
    if not schema:
        return ""
    options = {"whitespace_flexible": False, "lenient": True}
    return f"%llguidance {{}}\nstart: %json {json.dumps({**schema, 'x-guidance': options})}"


_engines: dict[tuple[str, EngineSettings], Engine] = {}
_users: dict[Engine, int] = {}
_registry = threading.Lock()


def open_embedded(
    path: Path,
    *,
    identity: str,
    name: str,
    settings: EngineSettings | None = None,
    timeout: float = 600.0,
    added: Additions | None = None,
) -> EmbeddedModel:
    """The model in the GGUF file `path`; equal weights and settings share one engine. Starts nothing."""
    engine = Engine(path, name=name, settings=settings)
    return EmbeddedModel(engine, identity=identity, timeout=timeout, added=added)


def _use(engine: Engine, identity: str) -> Engine:
    """The one engine for the weights `identity` under these settings, `engine` where there is none: one user more."""
    with _registry:
        shared = _engines.setdefault((identity, engine.settings), engine)
        _users[shared] = _users.get(shared, 0) + 1
        return shared


def _release(engine: Engine) -> bool:
    """One user less; True when it was the last."""
    with _registry:
        _users[engine] -= 1
        if _users[engine]:
            return False
        del _users[engine]
        for key in [key for key, value in _engines.items() if value is engine]:
            del _engines[key]
        return True


async def _in_own_thread(work: Callable[[], None]) -> None:
    """Do `work` in a thread of its own: in asyncio's few all may wait for the very engine that is to be stopped."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    def run() -> None:
        try:
            work()
        finally:
            # A loop that is over waits for nothing.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle)

    threading.Thread(target=run, daemon=True, name="gpo-engine-stop").start()
    await done
