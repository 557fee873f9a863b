"""The one endpoint that every program of the proof asks, from the command line to a configuration's models.

Knows no task. Without an address it is a model of this machine, which `served` starts once for all.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from gpo.config.models import ModelConfig
from gpo.errors import ConfigError

LOCAL = "local/qwen2.5-coder-1.5b"
OPTIMIZER_TOKENS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model at an address (None: `model` is one of this machine). `max_tokens` are those of a task reply; `key_env`
    names the variable with the key."""

    model: str = LOCAL
    base_url: str | None = None
    key_env: str | None = None
    max_tokens: int = 256
    concurrency: int = 64

    def role(self, role: str, base_url: str | None = None) -> dict[str, Any]:
        """The configuration of the role "task" or "optimizer"; `base_url` takes the place of its own."""
        writes = role == "optimizer"
        url = base_url or self.base_url
        return {
            "model": self.model,
            **({"base_url": url} if url else {}),
            **({"api_key_env": self.key_env} if self.key_env and not base_url else {}),
            "temperature": 1.0 if writes else 0.0,
            "max_tokens": OPTIMIZER_TOKENS if writes else self.max_tokens,
            "concurrency": self.concurrency,
            "timeout": 900,
        }

    @property
    def settings(self) -> dict[str, Any]:
        """What a result records of it: no address, no key."""
        return {"model": self.model, "max_tokens": self.max_tokens}


def add_arguments(parser: ArgumentParser) -> None:
    """The options that name an endpoint."""
    parser.add_argument(
        "--base-url", help="an OpenAI-compatible endpoint; without it the model runs on this machine"
    )
    parser.add_argument("--model", default=LOCAL, help="its name there, or local/NAME")
    parser.add_argument("--api-key-env", help="the environment variable with the endpoint's key")
    parser.add_argument(
        "--max-tokens", type=int, default=256, help="of a task reply, the same for all prompts"
    )
    parser.add_argument(
        "--concurrency", type=int, default=64, help="most calls under way at once, of one run"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="prompts or runs at once: what a GPU needs to be kept busy"
    )


def from_arguments(found: Namespace) -> Endpoint:
    """The endpoint of a command line. Raises `ConfigError`."""
    if found.base_url is None and not found.model.startswith("local/"):
        raise ConfigError(
            f"--model {found.model}: give its --base-url, or name a model of this machine, local/NAME"
        )
    return Endpoint(
        model=found.model,
        base_url=found.base_url,
        key_env=found.api_key_env,
        max_tokens=found.max_tokens,
        concurrency=found.concurrency,
    )


@asynccontextmanager
async def served(endpoint: Endpoint) -> AsyncIterator[tuple[str, str | None]]:
    """Address (with /v1) and key of `endpoint`; a model of this machine is started, and stopped at the end."""
    if endpoint.base_url is not None:
        import os

        yield endpoint.base_url.rstrip("/"), os.environ.get(endpoint.key_env) if endpoint.key_env else None
        return
    from gpo.model.factory import open_model
    from gpo.model.local.model import EmbeddedModel

    opened = open_model(ModelConfig(**endpoint.role("task")), role="task")
    assert isinstance(opened.client, EmbeddedModel)
    try:
        await opened.client.start()
        server = opened.client.engine.server
        assert server is not None
        yield f"{server.url}/v1", server.key
    finally:
        await opened.client.aclose()
        await asyncio.sleep(0)


def at(endpoint: Endpoint, base_url: str) -> Endpoint:
    """`endpoint` at another address, which needs no key."""
    return replace(endpoint, base_url=base_url, key_env=None, model=endpoint.model.removeprefix("local/"))
