"""The one endpoint that every program of the proof asks, from the command line to a configuration's models.

Without an address it is a model of this machine, which `served` starts once for all.
"""

from __future__ import annotations

import asyncio
import os
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.proof.tasks import REGISTERED
from gpo.config.models import ModelConfig
from gpo.errors import ConfigError

LOCAL = "local/qwen2.5-coder-1.5b"
OPTIMIZER_TOKENS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model at an address (None: `model` is one of this machine). `max_tokens` are those of a task reply (None: those
    that each task is registered with, see `for_task`); `key_env` names the variable with the key."""

    model: str = LOCAL
    base_url: str | None = None
    key_env: str | None = None
    max_tokens: int | None = None
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
            **(
                {"max_tokens": OPTIMIZER_TOKENS if writes else self.max_tokens}
                if writes or self.max_tokens
                else {}
            ),
            "concurrency": self.concurrency,
            "timeout": 900,
        }

    def for_task(self, name: str) -> Endpoint:
        """With the tokens of a reply that the registered task `name` has."""
        return self if self.max_tokens is not None else replace(self, max_tokens=REGISTERED[name].max_tokens)

    @property
    def settings(self) -> dict[str, Any]:
        """What a result records of it: no address, no key."""
        return {"model": self.model, "max_tokens": self.max_tokens or "as registered"}


def add_arguments(parser: ArgumentParser) -> None:
    """The options that name an endpoint."""
    parser.add_argument(
        "--base-url", help="an OpenAI-compatible endpoint; without it the model runs on this machine"
    )
    parser.add_argument(
        "--model",
        default=LOCAL,
        help="its name there, or local/NAME (local/qwen2.5-coder-0.5b is twice as fast and weaker)",
    )
    parser.add_argument("--api-key-env", help="the environment variable with the endpoint's key")
    parser.add_argument(
        "--max-tokens", type=int, help="of a task reply; without it those that each task is registered with"
    )
    parser.add_argument(
        "--threads", type=int, help="keep to so many processor cores, the engine of a local model included"
    )
    parser.add_argument(
        "--concurrency", type=int, default=64, help="most calls under way at once, of one run"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="prompts or runs at once: what a GPU needs to be kept busy"
    )


def from_arguments(found: Namespace) -> Endpoint:
    """The endpoint of a command line; the process keeps to `--threads` cores from now on. Raises `ConfigError`."""
    if found.base_url is None and not found.model.startswith("local/"):
        raise ConfigError(
            f"--model {found.model}: give its --base-url, or name a model of this machine, local/NAME"
        )
    if found.threads is not None:
        keep_to(found.threads)
    return Endpoint(
        model=found.model,
        base_url=found.base_url,
        key_env=found.api_key_env,
        max_tokens=found.max_tokens,
        concurrency=found.concurrency,
    )


def keep_to(threads: int) -> None:
    """Keep this process and those that it starts to the first `threads` of the cores that it may use: the engine of a
    local model has a thread a core. Raises `ConfigError`."""
    usable = sorted(os.sched_getaffinity(0))
    if not 1 <= threads <= len(usable):
        raise ConfigError(f"--threads {threads}: this process may use {len(usable)} cores")
    os.sched_setaffinity(0, usable[:threads])


@asynccontextmanager
async def served(endpoint: Endpoint) -> AsyncIterator[tuple[str, str | None]]:
    """Address (with /v1) and key of `endpoint`; a model of this machine is started, and stopped at the end."""
    if endpoint.base_url is not None:
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
