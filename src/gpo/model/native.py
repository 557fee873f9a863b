"""Anthropic's and Gemini's own wires, through the package any-llm (the extra `any-llm`).

Only the sending differs from the OpenAI wire: any-llm translates what is sent and what comes back. Reading replies,
finding out what is not taken and sorting errors are the OpenAI client's, whose body is what is translated.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Iterator, Mapping
from typing import Any

from gpo.errors import ConfigError, ModelError, PermanentModelError, TransientModelError
from gpo.extras import install
from gpo.model.openai.additions import Additions
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.errors import UnreachableError, clean, redact, unreadable_error
from gpo.model.openai.trials import Response
from gpo.model.providers import PROVIDERS, NativeName

EXTRA = "any-llm"
_KNOWN = frozenset(
    {"model", "messages", "temperature", "max_tokens", "top_p", "stop", "seed", "n", "reasoning_effort"}
    | {"response_format"}
)
"""Fields of a body that any-llm translates; the others are the user's own."""
_ABSENT = frozenset({"ConnectError", "ConnectTimeout", "ClientConnectorError"})
_LATE = frozenset({"TimeoutException", "APITimeoutError", "TimeoutError"})
_LOST = frozenset({"TransportError", "ClientError", "APIConnectionError", "OSError"})
"""Names of classes that the packages below raise, whichever of them is installed."""


class NativeClient(OpenAIClient):
    """One model at Anthropic or Gemini. Raises `ConfigError` where the extra is missing."""

    def __init__(
        self,
        name: NativeName,
        *,
        base_url: str,
        api_key: str,
        where: str,
        timeout: float = 120.0,
        added: Additions | None = None,
    ) -> None:
        check_extra(name, where)
        super().__init__(base_url=base_url, model=name.model, api_key=api_key, timeout=timeout, added=added)
        self._native = name.provider
        self._seconds = timeout
        self._api_key = api_key
        self._address = base_url
        self._provider: Any = None
        self._provider_loop: asyncio.AbstractEventLoop | None = None
        self.trials.lacking = PROVIDERS[name.provider].lacks

    async def send(self, data: bytes, chat: bool = True) -> Response:
        """As the OpenAI client does, with a body of its own words. Raises `ModelError` where no response comes."""
        if not chat:
            raise PermanentModelError(
                f"{self._name}: continues no text (chat: false); leave models.*.chat out"
            )
        provider = await self._ready()
        try:
            completion = await provider.acompletion(**self._arguments(json.loads(data)))
        except Exception as error:
            return self._refusal(error)
        return Response(200, {}, completion.model_dump_json().encode("utf-8", "replace"))

    async def aclose(self) -> None:
        """Close the connections. May be called more than once."""
        provider, self._provider = self._provider, None
        if provider is not None and self._provider_loop is asyncio.get_running_loop():
            client = provider.client
            await (client.close() if self._native == "anthropic" else client.aio.aclose())

    async def _other_address(self) -> str:
        """Nothing to say of a /v1: these wires have their version in the path of a call."""
        return ""

    async def _ready(self) -> Any:
        """The provider of the running loop. Its packages take a second to be read, in a thread."""
        loop = asyncio.get_running_loop()
        if self._provider is None or self._provider_loop is not loop:
            self._provider = await asyncio.to_thread(self._open_provider)
            self._provider_loop = loop
        return self._provider

    def _open_provider(self) -> Any:
        from any_llm import AnyLLM

        headers = dict(self._added.headers)
        if self._native == "anthropic":
            more: dict[str, Any] = {"timeout": self._seconds, "default_headers": headers}
        else:
            own = {name: value for name, value in self._added.body.items() if name not in _KNOWN}
            options = {"headers": headers, **({"extra_body": own} if own else {})}
            more = {"timeout": self._seconds, "http_options": options, "vertexai": False}
        return AnyLLM.create(
            self._native,
            api_key=self._api_key,
            api_base=self._address,
            unified_exceptions=True,
            max_retries=0,  # who retries also counts what it costs
            **more,
        )

    def _arguments(self, body: dict[str, Any]) -> dict[str, Any]:
        if "max_completion_tokens" in body:
            body["max_tokens"] = body.pop("max_completion_tokens")
        own = {name: body.pop(name) for name in list(body) if name not in _KNOWN}
        return {**body, **({"extra_body": own} if own and self._native == "anthropic" else {})}

    def _refusal(self, error: Exception) -> Response:
        """The response that `error` tells of. Raises `ModelError` where there was none."""
        original = getattr(error, "original_exception", None) or error
        status = _status(original)
        if status is not None:
            return Response(status, _headers(original), _body(original))
        names = {kind.__name__ for cause in _causes(original) for kind in type(cause).__mro__}
        reason = clean(redact(str(original), self._secrets))
        if names & {"UnsupportedParameterError", "InvalidRequestError"} or isinstance(original, TypeError):
            # Told by the package before anything left.
            return Response(400, {}, json.dumps({"error": {"message": str(error)}}).encode())
        raise _lost(names, reason, self._base, self._name, self._seconds) or unreadable_error(
            str(original).encode("utf-8", "replace"), endpoint=self._name, key=self._secrets
        )


def check_extra(name: NativeName, where: str) -> None:
    """Raise the `ConfigError` that names the extra, where it is missing."""
    packages = {"anthropic": "anthropic", "gemini": "google.genai"}
    for package in ("any_llm", packages[name.provider]):
        try:
            found = importlib.util.find_spec(package) is not None
        except ModuleNotFoundError:
            found = False
        if not found:
            raise ConfigError(
                f"{where}.model: {name.provider}:{name.model} needs the extra {EXTRA}, which is not "
                f"installed: {install(EXTRA)} (in a clone: uv sync --extra {EXTRA})"
            )


def _lost(names: set[str], reason: str, base: str, endpoint: str, seconds: float) -> ModelError | None:
    if names & _ABSENT:
        return UnreachableError(f"no model server answers at {base} ({reason})")
    if names & _LATE:
        return TransientModelError(f"{endpoint}: no answer in {seconds:g} s")
    return TransientModelError(f"the connection to {base} failed ({reason})") if names & _LOST else None


def _status(error: Exception) -> int | None:
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 300 <= value < 600:
            return value
    return None


def _headers(error: Exception) -> Mapping[str, str]:
    found = getattr(getattr(error, "response", None), "headers", None)
    return {str(name): str(value) for name, value in found.items()} if found else {}


def _body(error: Exception) -> bytes:
    for name in ("body", "details"):
        value = getattr(error, name, None)
        if isinstance(value, dict | list) and value:
            return json.dumps(value).encode()
    return json.dumps({"error": {"message": str(error)}}).encode("utf-8", "replace")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
