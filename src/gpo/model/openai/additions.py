"""What a user adds to every request of a model: fields of the body, headers, texts that end a reply."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpo.config.masking import MASK, looks_secret
from gpo.config.models import ModelConfig
from gpo.errors import ConfigError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST_SECRET = 6


@dataclass(frozen=True, slots=True)
class Additions:
    """`body` goes into every body, `headers` into every request, `stop` beside a request's own. `secrets` must stand in
    no error. `digest` (16 hex digits, "" where there is nothing) is their part of the calls' identity."""

    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    digest: str = ""

    def identity(self, plain: str) -> str:
        """`plain`, with what was added where something was."""
        return f"{plain} +{self.digest}" if self.digest else plain


def additions(config: ModelConfig, where: str) -> Additions:
    """What `config` adds, with the values of the environment. Raises `ConfigError` naming the key below `where` for a
    variable that is not set."""
    body: dict[str, Any] = {}
    if config.top_p is not None:
        body["top_p"] = config.top_p
    if config.reasoning_effort is not None:
        body["reasoning_effort"] = config.reasoning_effort
    body |= config.extra_body
    headers, told = {}, {}
    for name, value in config.extra_headers.items():
        key = f"{where}.extra_headers.{name}"
        headers[name] = _header(value if isinstance(value, str) else from_environment(value.env, key), key)
        # What a variable holds is a secret, and no part of what an answer depends on.
        told[name.lower()] = value if isinstance(value, str) else None
    found = {"body": body, "headers": told, "stop": list(config.stop)}
    text = json.dumps({name: value for name, value in found.items() if value}, sort_keys=True)
    anything = bool(body or headers or config.stop)
    return Additions(
        body=body,
        headers=headers,
        stop=config.stop,
        secrets=tuple(
            value for value in (*headers.values(), *_secrets(body)) if len(value) >= _SHORTEST_SECRET
        ),
        digest=hashlib.blake2b(text.encode(), digest_size=8).hexdigest() if anything else "",
    )


def from_environment(variable: str, key: str) -> str:
    """The value of `variable`, which the configuration names under `key`. Raises `ConfigError`, which never repeats
    what may be a key that somebody wrote in its place."""
    if not _VARIABLE.fullmatch(variable):
        raise ConfigError(
            f"{key}: must be the name of an environment variable, such as MY_KEY, not the key itself"
        )
    value = os.environ.get(variable)
    if not value:
        raise ConfigError(
            f"{key}: the environment variable {variable} is not set; put the key there, or name another variable"
        )
    return value


def _header(value: str, key: str) -> str:
    value = value.strip()
    if value == MASK:
        raise ConfigError(f"{key}: {MASK} stands for what GPO does not write down; put the value in again")
    if not value.isascii() or not value.isprintable():
        raise ConfigError(
            f"{key}: holds a character that no header has (a line break, a letter with an accent)"
        )
    return value


def _secrets(value: Any, name: str = "") -> tuple[str, ...]:
    """Texts in a body whose name says that they are secret."""
    if isinstance(value, Mapping):
        return tuple(text for key, inner in value.items() for text in _secrets(inner, str(key)))
    if isinstance(value, list | tuple):
        return tuple(text for inner in value for text in _secrets(inner, name))
    return (value,) if isinstance(value, str) and looks_secret(name) else ()
