"""From a configuration's model to a `Model`: which client it needs, its key, its limit and its price.

Opens, and sends nothing: a wrong name, a missing file or key is found before a run directory is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gpo.config.schema import ModelConfig
from gpo.errors import ConfigError
from gpo.model.limits import Limited
from gpo.model.model import Model
from gpo.model.retry import ATTEMPTS, FIRST_DELAY, Retrying

OPENAI = "https://api.openai.com/v1"
PullProgress = Callable[[str, int, int], None]
"""(name, bytes so far, bytes in all) while weights are fetched."""
RoleName = Literal["task", "optimizer"]

# A meta-prompt with three long examples and a trajectory needs more than the usual question does, and an engine that
# serves both roles has one context size.
CONTEXT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModel:
    """A model ready for calls. `cost` gives dollars for token counts, None where the price is unknown; `shareable`
    says that its identity pins its answers, so that the user's store may answer for it."""

    model: Model
    limited: Limited
    retrying: Retrying | None
    cost: Callable[[Any], float | None]
    shareable: bool = True


def open_model(
    config: ModelConfig, *, role: RoleName, base_dir: Path = Path(), on_pull: PullProgress | None = None
) -> OpenModel:
    """The model of `role`. Registered weights that are not here yet are fetched, which takes time.

    Raises `ConfigError` naming the key `models.ROLE.…`, and `ModelError` where weights cannot be fetched.
    """
    where = f"models.{role}"
    if config.base_url is None and (config.model.startswith("local/") or config.model.endswith(".gguf")):
        return _embedded(config, where, base_dir, on_pull)
    return _wire(config, where)


def wrap(
    model: Model,
    *,
    concurrency: int,
    cost: Callable[[Any], float | None],
    shareable: bool,
    retry: bool,
    retries: int = ATTEMPTS - 1,
    retry_delay: float = FIRST_DELAY,
) -> OpenModel:
    """`model` behind retries (see `Retrying`; `retry_delay` in seconds) and a concurrency limit."""
    retrying = Retrying(model, attempts=retries + 1, first_delay=retry_delay) if retry else None
    limited = Limited(retrying or model, concurrency)
    return OpenModel(model=limited, limited=limited, retrying=retrying, cost=cost, shareable=shareable)


def _embedded(config: ModelConfig, where: str, base_dir: Path, on_pull: PullProgress | None) -> OpenModel:
    from gpo.model.embedded import open_embedded
    from gpo.model.engine import EngineSettings
    from gpo.model.weights import check_model, resolve

    name = config.model
    if name.endswith(".gguf") and not name.startswith("local/"):
        name = str(base_dir / Path(name).expanduser())
    try:
        check_model(name)
    except ConfigError as error:
        raise ConfigError(f"{where}.model: {error}") from None
    weights = resolve(name, progress=on_pull)
    settings = EngineSettings(context=CONTEXT)
    model = open_embedded(
        weights.path,
        identity=weights.identity,
        name=weights.name,
        settings=settings,
        timeout=max(600, config.timeout),
    )
    # Twice the slots: while one call's answer travels, the next one already waits at the engine.
    concurrency = min(config.concurrency, 2 * settings.slots)
    return wrap(model, concurrency=concurrency, cost=lambda tokens: 0.0, shareable=True, retry=True)


def _wire(config: ModelConfig, where: str) -> OpenModel:
    from gpo.model.identity import wire_identity
    from gpo.model.prices import cost, price
    from gpo.model.wire import Wire

    name, base_url, key_env = config.model, config.base_url, config.api_key_env
    if base_url is None:
        if not name.startswith("openai/"):
            raise ConfigError(
                f"{where}.model: {name!r} is not known; write openai/NAME, local/NAME (gpo models list), a path to a "
                f".gguf file, or give {where}.base_url"
            )
        name, base_url, key_env = name.removeprefix("openai/"), OPENAI, key_env or "OPENAI_API_KEY"
    elif not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"{where}.base_url: {base_url!r} must begin with http:// or https://")
    key = os.environ.get(key_env) if key_env else None
    if key_env and not key:
        raise ConfigError(
            f"{where}.api_key_env: the environment variable {key_env} is not set; put the key there, or name another "
            "variable"
        )
    model = Wire(
        base_url=base_url,
        api_key=key,
        model=name,
        identity=wire_identity(base_url, name),
        timeout=config.timeout,
        fill=False,  # `Filling` stands outside of the journal, where each answer is kept as it comes
    )
    known = price(config)
    return wrap(
        model,
        concurrency=config.concurrency,
        cost=lambda tokens: cost(tokens, known),
        shareable=True,
        retry=True,
        retries=config.retries,
        retry_delay=config.retry_delay,
    )
