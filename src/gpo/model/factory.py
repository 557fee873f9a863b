"""From a configuration's model to an `OpenModel`: which client it needs, its key, its limits and its price.

Opens, and sends nothing: a wrong name, a missing file or key is found before a run directory is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gpo.config.models import ModelConfig
from gpo.errors import ConfigError
from gpo.extras import require
from gpo.model.address import Address, find_address, is_embedded, name_there
from gpo.model.endpoints import Endpoints
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.layers.retry import RetrySettings
from gpo.model.model import Model
from gpo.model.openai.additions import additions, from_environment
from gpo.model.prices import Cost, cost, price
from gpo.model.providers import NativeName, native_name
from gpo.paths import in_home

if TYPE_CHECKING:
    from gpo.model.local.engine_fit import Needs
    from gpo.model.openai.client import OpenAIClient

PullProgress = Callable[[str, int, int], None]
"""(name, bytes so far, bytes in all) while weights are fetched."""
RoleName = Literal["task", "optimizer", "judge", "embedder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModel:
    """A model that is ready for calls, and what its layers are made of (see `gpo.run.compose`).

    `client` makes one attempt of a call. `queue` is where calls of this role wait for a place at their endpoint; its
    state lasts as long as the model is open, and roles at one endpoint share its limiter. `retry` says how attempts
    follow one another, None: there is one. `cost` gives dollars for token counts, None where the price is unknown.
    `shareable` says that the model's identity pins its answers, so that the user's store may answer for it, `remote`
    that it is an endpoint's, which has its own mind about what it takes.
    """

    client: Model
    queue: RoleQueue
    retry: RetrySettings | None
    cost: Cost
    shareable: bool = True
    remote: bool = False


def open_model(
    config: ModelConfig,
    *,
    role: RoleName,
    base_dir: Path = Path(),
    on_pull: PullProgress | None = None,
    endpoints: Endpoints | None = None,
    needs: Needs | None = None,
) -> OpenModel:
    """The model of `role`. Registered weights that are not here yet are fetched, which takes time. `endpoints` holds
    what it shares with other models of the run, `needs` how long its requests are, for an embedded engine.

    Raises `ConfigError` naming the key `models.ROLE.…`, and `ModelError` where weights cannot be fetched.
    """
    where, shared = f"models.{role}", endpoints or Endpoints([config])
    if is_embedded(config):
        opened = _open_embedded(config, where, base_dir, on_pull, needs, shared, embeds=role == "embedder")
        return _as_local_embedder(opened) if role == "embedder" else opened
    if role == "embedder":
        return _open_wire_embedder(config, where, shared)
    return _open_wire(config, where, shared)


def check_settings(config: ModelConfig, *, role: str, base_dir: Path, keys: bool = True) -> None:
    """Raise the `ConfigError` that opening the model would, as far as it is told without a call or a download: an
    unknown name, an address that is none and, with `keys`, a key that is not set."""
    where = f"models.{role}"
    if is_embedded(config):
        _weights(config, where, base_dir)
    else:
        address = find_address(config, where)
        if keys:
            _key(address.key_env, where)
            additions(config, where)


def _weights(config: ModelConfig, where: str, base_dir: Path) -> str:
    """`local/NAME` or the path of a `.gguf` file. Raises `ConfigError` for one that is not known."""
    from gpo.model.local.weights import check_model

    name = config.model
    if name.endswith(".gguf") and not name.startswith("local/"):
        name = str(base_dir / in_home(name))
    require("xllamacpp", "local", f"{where}.model: {config.model}")
    try:
        check_model(name)
    except ConfigError as error:
        raise ConfigError(f"{where}.model: {error}") from None
    return name


def _open_embedded(
    config: ModelConfig,
    where: str,
    base_dir: Path,
    on_pull: PullProgress | None,
    needs: Needs | None,
    endpoints: Endpoints,
    *,
    embeds: bool,
) -> OpenModel:
    from gpo.model.local.engine_fit import DOUBLE_BELOW, Needs, fit
    from gpo.model.local.model import open_embedded
    from gpo.model.local.weights import resolve

    added = additions(config, where)
    if added.headers:
        raise ConfigError(f"{where}.extra_headers: an embedded model takes none")
    weights = resolve(_weights(config, where, base_dir), progress=on_pull)
    needs = needs or Needs()
    settings = fit(weights.path, replace(needs, embeds=True) if embeds else needs)
    client = open_embedded(
        weights.path,
        identity=weights.identity,
        name=weights.name,
        settings=settings,
        timeout=max(600, config.timeout),
        added=added,
    )
    # No more calls than slots: one that waits at the engine takes the next slot that is free, whatever was computed
    # there, while one that waits here is sent when the slot is free that has its beginning (see `PrefixQueue`).
    concurrency = min(config.concurrency, settings.slots)
    queue = RoleQueue(
        EndpointLimiter(concurrency), concurrency, endpoints.rates(config), double_below=DOUBLE_BELOW
    )
    retry = RetrySettings(attempts=config.retries + 1, first_delay=config.retry_delay)
    return OpenModel(client=client, queue=queue, retry=retry, cost=lambda tokens: 0.0)


def _as_local_embedder(opened: OpenModel) -> OpenModel:
    from gpo.model.local.embedder import EmbeddedEmbedder
    from gpo.model.local.model import EmbeddedModel

    assert isinstance(opened.client, EmbeddedModel)
    return replace(opened, client=EmbeddedEmbedder(opened.client))


def wire_client(config: ModelConfig, where: str) -> tuple[OpenAIClient, str]:
    """The bare client of an endpoint, and the model's name there. Raises `ConfigError`."""
    return _make_client(config, find_address(config, where), where), name_there(config)


def _make_client(config: ModelConfig, address: Address, where: str) -> OpenAIClient:
    if native := native_name(config.model):
        return _make_native_client(config, address, native, where)
    from gpo.model.openai.client import OpenAIClient

    return OpenAIClient(
        base_url=address.base_url,
        api_key=_key(address.key_env, where),
        model=name_there(config),
        identity=address.identity,
        timeout=config.timeout,
        added=additions(config, where),
    )


def _make_native_client(config: ModelConfig, address: Address, name: NativeName, where: str) -> OpenAIClient:
    from gpo.model.native import NativeClient

    if not config.chat:
        raise ConfigError(f"{where}.chat: {name.provider} has chat models only; leave it out")
    return NativeClient(
        name,
        base_url=address.base_url,
        api_key=_key(address.key_env, where) or "",
        where=where,
        timeout=config.timeout,
        added=additions(config, where),
    )


def _open_wire(config: ModelConfig, where: str, endpoints: Endpoints) -> OpenModel:
    address, known = find_address(config, where), price(config)
    return OpenModel(
        client=_make_client(config, address, where),
        queue=RoleQueue(endpoints.limiter(config), config.concurrency, endpoints.rates(config)),
        retry=RetrySettings(
            attempts=config.retries + 1, first_delay=config.retry_delay, advice=address.advice
        ),
        cost=lambda tokens: cost(tokens, known),
        remote=True,
    )


def _open_wire_embedder(config: ModelConfig, where: str, endpoints: Endpoints) -> OpenModel:
    from gpo.model.openai.client import OpenAIClient
    from gpo.model.openai.embeddings import EmbeddingModel

    if (name := native_name(config.model)) is not None:
        raise ConfigError(
            f"{where}.model: {name.provider} has no /embeddings that GPO knows; name another model"
        )
    opened = _open_wire(config, where, endpoints)
    assert isinstance(opened.client, OpenAIClient)
    return replace(opened, client=EmbeddingModel(opened.client))


def _key(variable: str | None, where: str) -> str | None:
    return from_environment(variable, f"{where}.api_key_env") if variable else None
