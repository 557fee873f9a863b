"""The OpenAI wire: chat completions, and plain completions for base models.

Bytes go over `gpo.model.openai.connection`; retries, limits, prices and stores are other layers; what went wrong is
told in `gpo.model.openai.errors`.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

from gpo.config.masking import url_secrets
from gpo.errors import ConfigError, ModelError, PermanentModelError, TransientModelError
from gpo.model.model import Reply, Request
from gpo.model.openai.access import EndpointAccess
from gpo.model.openai.additions import Additions
from gpo.model.openai.body import ENCODINGS
from gpo.model.openai.errors import response_error, unreadable_error
from gpo.model.openai.format import decode, encode
from gpo.model.openai.hints import hint_for, is_without_version, names_one_of
from gpo.model.openai.trials import Response, Trials
from gpo.model.openai.url import clean_url, split_url, wire_identity
from gpo.model.threads import LONG, read_apart

if TYPE_CHECKING:
    from gpo.model.openai.connection import EndpointConnection

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OpenAIClient:
    """One model at one endpoint. `timeout` is in seconds for a whole call; `api_key` None sends no key.

    `base_url` is what users write, /v1 included; credentials and a query in it are sent, and shown nowhere. Raises
    `ConfigError` where it is no address, or the key cannot be sent. `added` is what the user adds to every request.
    `trials` knows the parameters that the endpoint turned out not to take. One loop at a time; a new loop gets new
    connections.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        identity: str | None = None,
        timeout: float = 120.0,
        added: Additions | None = None,
    ) -> None:
        self._base = clean_url(base_url)
        parts = split_url(base_url)
        query = f"?{parts.query}" if parts.query else ""
        self._chat = f"{self._base}/chat/completions{query}"
        self._plain = f"{self._base}/completions{query}"
        self._embeddings = f"{self._base}/embeddings{query}"
        self._model = model
        self._added = added or Additions()
        self._name = wire_identity(base_url, model) if identity is None else identity
        self._identity = self._added.identity(self._name)
        self._key = _sendable(api_key) if api_key else None
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": ENCODINGS,
        }
        token = ""
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"
        elif parts.username or parts.password:
            pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            token = base64.b64encode(pair.encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        named = {name.lower() for name in self._added.headers}
        self._headers = {name: value for name, value in self._headers.items() if name.lower() not in named}
        self._headers |= self._added.headers
        self._proxy = _proxy(parts.scheme, parts.hostname or "")
        keys = (
            self._key or "",
            token,
            *url_secrets(base_url),
            *url_secrets(self._proxy or ""),
            *self._added.secrets,
        )
        self._secrets = tuple(key for key in keys if key)
        self._timeout = timeout
        self._connection: EndpointConnection | None = None
        self.trials = Trials()

    @property
    def lacking(self) -> frozenset[str]:
        """The parameters that the endpoint turned out not to take."""
        return self.trials.lacking

    @property
    def identity(self) -> str:
        """Endpoint and model, without secrets."""
        return self._identity

    async def complete(self, request: Request, more: Mapping[str, Any] | None = None) -> Reply:
        """Send `request`, with `more` parameters that only this endpoint knows. The reply has what the one call
        brought, which may be fewer than `n` completions.

        Raises `TransientModelError` and `PermanentModelError`.
        """
        reply = await self._call(request, more)
        if len(reply.texts) == 1 < request.n:
            self.trials.lacking |= {"n"}
        return reply

    async def post_embedding(self, text: str | Sequence[int]) -> bytes:
        """The body of the endpoint's answer to `text`, or its tokens, at /embeddings. Raises `TransientModelError` and
        `PermanentModelError`."""
        asked = {**self._added.body, "model": self._model, "input": text, "encoding_format": "float"}
        response = await self._reach(self._embeddings, json.dumps(asked).encode())
        if response.status != 200:
            raise response_error(*response, endpoint=self._name, key=self._secrets)
        return response.body

    def no_vector(self) -> ModelError:
        """The error for a 200 of /embeddings without a vector."""
        return TransientModelError(f"{self._name}: the answer of /embeddings holds no vector", status=200)

    async def aclose(self) -> None:
        """Close the connections. May be called more than once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    async def _call(self, request: Request, more: Mapping[str, Any] | None = None) -> Reply:
        started = time.perf_counter()
        if self._added.stop:
            request = replace(request, stop=(*request.stop, *self._added.stop))
        lacking = self.trials.lacking

        async def ask(asked: Request, without: frozenset[str]) -> Response:
            return await self.send(
                encode(asked, self._model, without, self._fields(more)), asked.prompt is None
            )

        response = await ask(request, lacking)
        own_fault = charged = False
        if response.status != 200 and self.trials.concerns(response) and not self._asked_for(response):
            found = await self.trials.settle(request, lacking, response, ask)
            response, lacking, own_fault, charged = (
                found.response,
                found.lacking,
                found.own_fault,
                found.charged,
            )
        if response.status != 200:
            error = await self._refused(request, response, own_fault)
            error.charged = charged
            raise error
        reply = await self._read(request, response, lacking, time.perf_counter() - started)
        self.trials.answered(request, lacking)
        return reply

    def _fields(self, more: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        return {**self._added.body, **more} if more and self._added.body else more or self._added.body

    def _asked_for(self, response: Response) -> str | None:
        """The field of the user's own that a refusal is about: it is never left out, as somebody wrote it."""
        if not self._added.body or self.trials.has_answered():
            return None
        return names_one_of(self._added.body, response.body)

    async def _refused(self, request: Request, response: Response, own_fault: bool) -> ModelError:
        field = self._asked_for(response) if response.status in (400, 422) else None
        hint = hint_for(request, response, field)
        if not hint and response.status in (404, 405) and is_without_version(self._base):
            hint = await self._other_address()
        return response_error(
            *response,
            endpoint=self._name,
            key=self._secrets,
            own_fault=own_fault and field is None,
            hint=hint,
        )

    async def _read(
        self, request: Request, response: Response, lacking: frozenset[str], seconds: float
    ) -> Reply:
        told: dict[str, Any] = {"key": self._secrets, "seconds": seconds}
        try:
            if len(response.body) > LONG:
                return await read_apart(decode, response.body, request, self._name, lacking, **told)
            return decode(response.body, request, self._name, lacking, **told)
        except (ValueError, RecursionError):
            raise await self._unreadable(response.body) from None

    async def send(self, data: bytes, chat: bool = True) -> Response:
        """Post a body to the endpoint. Raises `ModelError` where no response comes or it is too large."""
        return await self._reach(self._chat if chat else self._plain, data)

    async def _reach(self, url: str, data: bytes) -> Response:
        connection = self._connection or self._connect()
        return await connection.post(url, data)

    def _connect(self) -> EndpointConnection:
        # Here, not above: a run that is complete, a plan and an estimate make no call and need no HTTP client.
        from gpo.model.openai.connection import EndpointConnection

        self._connection = EndpointConnection(
            EndpointAccess(
                base=self._base,
                name=self._name,
                headers=self._headers,
                proxy=self._proxy,
                secrets=self._secrets,
                timeout=self._timeout,
            )
        )
        return self._connection

    async def _other_address(self) -> str:
        """What to say where nothing is served at an address without a version: whether there is one with /v1."""
        connection = self._connection or self._connect()
        said = "answers" if await connection.serves(f"{self._base}/v1/models") else "may be meant"
        return f"base_url has no /v1: {self._base}/v1 {said}"

    async def _unreadable(self, body: bytes) -> ModelError:
        # Some gateways pass an upstream failure on as a 200 with an error in it.
        error = unreadable_error(body, endpoint=self._name, key=self._secrets)
        try:
            told = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError, RecursionError):
            told = None
        code = told.get("code") if isinstance(told, dict) else None
        if isinstance(code, str) and code.isdecimal() and len(code) == 3:
            code = int(code)
        if isinstance(code, int) and 400 <= code < 600:
            return response_error(code, {}, body, endpoint=self._name, key=self._secrets)
        if is_without_version(self._base) and (told or body.lstrip()[:1] == b"<"):
            hint = await self._other_address()
            return PermanentModelError(f"{error}; {hint}", scope="run", status=200)
        return error


def _sendable(key: str) -> str:
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise ConfigError(
            "the API key holds a character that no key has (a line break, a letter with an accent)"
        )
    return key


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for `host`. aiohttp's own look-up reads ~/.netrc at every call."""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(scheme)
