"""DSPy's language models and GPO's: a program of DSPy asks GPO's model, and that asks the user's `dspy.LM`.

So every call has its place in the journal and counts in the budget, and is made by DSPy's own client with its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dspy
from dspy.lm15 import Message, Response, TextPart, Usage

from gpo.errors import ConfigError, GPOError, PermanentModelError


class _JournaledEngine:
    """What a `dspy.LM` sends its requests to while GPO runs a program: `model` of that run."""

    def __init__(self, model: Callable[..., Any], lm: Any) -> None:
        self._model, self._lm = model, lm

    @property
    def supported_params(self) -> set[str]:
        """By this and the next DSPy's adapters decide whether they ask for the form of a reply."""
        return set(self._lm.supported_params)

    @property
    def supports_response_schema(self) -> bool:
        """Whether that form may be a schema."""
        return bool(self._lm.supports_response_schema)

    def complete(self, request: Any) -> Any:
        """The reply to a request of texts. Raises `ConfigError` for one with tools or other parts."""
        if request.tools:
            raise ConfigError("a DSPy program with native tool calls cannot go through GPO's journal")
        messages = [{"role": one.role, "content": _text(one)} for one in request.messages]
        if request.system is not None:
            system = (
                request.system
                if isinstance(request.system, str)
                else "".join(part.text for part in request.system)
            )
            messages.insert(0, {"role": "system", "content": system})
        config = request.config
        reply = self._model(
            messages,
            temperature=config.temperature,
            max_tokens=config.max_tokens,
            stop=tuple(config.stop or ()),
            seed=config.seed,
            response_format=_form(config.response_format) if config.response_format else None,
        )
        return Response(
            id=None,
            model=str(self._lm.model),
            message=Message.assistant([TextPart(reply)]),
            finish_reason="stop",
            usage=Usage(input_tokens=0, output_tokens=0, total_tokens=0),
        )

    def stream(self, request: Any) -> Any:
        raise ConfigError("a DSPy program that streams cannot go through GPO's journal")

    def close(self) -> None:
        """Nothing is open."""


def journaled(model: Callable[..., Any], lm: Any) -> Any:
    """An LM for the time of one run of a program on one row, whose calls are calls of `model`; the settings are
    `lm`'s."""
    kept = {
        name: value
        for name, value in lm.kwargs.items()
        if name in ("temperature", "max_tokens", "stop", "seed")
    }
    return dspy.LM(str(lm.model), cache=False, num_retries=0, engine=_JournaledEngine(model, lm), **kept)


def as_model(lm: Any, *, writes: bool = False) -> Callable[..., str]:
    """`lm` as a model of GPO's: a function of messages that asks it once, without DSPy's cache and its history.

    Temperature and length are those of the call where the program or the LM sets them, else the LM's provider decides.
    Where it `writes` prompts, a reply has as many tokens as GPO lets it have, and no more than the LM does.
    """
    defaults: Mapping[str, Any] = lm.kwargs

    def ask(
        messages: list[dict[str, str]],
        temperature: float,
        max_tokens: int,
        seed: int,
        stop: list[str],
        response_format: Mapping[str, Any] | None = None,
    ) -> str:
        options: dict[str, Any] = {"stop": stop} if stop else {}
        if response_format is not None:
            options["response_format"] = response_format
        # GPO has a default of its own for both, which an LM that sets neither must not be asked with.
        if defaults.get("temperature") is not None or temperature:
            options["temperature"] = temperature
        if defaults.get("max_tokens") is not None:
            options["max_tokens"] = min(max_tokens, defaults["max_tokens"]) if writes else max_tokens
        if temperature:
            options["seed"] = seed
        if isinstance(lm, dspy.LM):
            options["cache"] = False
        with dspy.context(disable_history=True):
            try:
                (found, *_) = lm(messages=messages, **options)
            except GPOError:
                raise
            except Exception as error:
                raise _translate(error) from error
        return str(found["text"] if isinstance(found, dict) else found)

    ask.__qualname__ = f"dspy:{lm.model}"
    return ask


def _translate(error: Exception) -> Exception:
    """What DSPy raises, as an error that is tried again or not."""
    from dspy.utils.exceptions import is_retryable_lm_error

    if isinstance(error, ConnectionError | TimeoutError) or is_retryable_lm_error(error):
        return ConnectionError(str(error))
    return PermanentModelError(f"{type(error).__name__}: {error}")


def _form(form: Mapping[str, Any]) -> dict[str, Any]:
    """DSPy's form of a reply as it is on the wire: a schema with its name lies a level deeper there."""
    told = {key: value for key, value in form.items() if key != "type"}
    if form["type"] != "json_schema":
        return {"type": form["type"]}
    return {"type": "json_schema", "json_schema": {**told, "name": form.get("name") or "response"}}


def _text(message: Any) -> str:
    if any(not hasattr(part, "text") for part in message.parts):
        raise ConfigError("a DSPy program that sends more than texts cannot go through GPO's journal")
    return "".join(part.text for part in message.parts)
