"""From a configuration's model to an `OpenModel`: which client it needs, its key, its limits and its price.

Opens, and sends nothing: a wrong name, a missing file or key is found before a run directory is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gpo.config.masking import MASK, is_masked, masked_url
from gpo.config.models import ModelConfig
from gpo.errors import ConfigError
from gpo.extras import require
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.layers.rates import Rates
from gpo.model.layers.retry import RetrySettings
from gpo.model.model import Model
from gpo.model.openai.additions import additions, from_environment
from gpo.model.prices import Cost, cost, price
from gpo.model.providers import PROVIDERS, NativeName, native_name
from gpo.paths import in_home

if TYPE_CHECKING:
    from gpo.model.local.engine_fit import Needs
    from gpo.model.openai.client import OpenAIClient

OPENAI = "https://api.openai.com/v1"
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


class Endpoints:
    """The limits of a run's endpoints: roles at the same one (address and key) share its places, and those of the same
    model there its rate limits. Where their configurations differ the endpoint has as many places as the larger says,
    each role no more than its own, and the lower rate limit holds for both. `configs` are all models of the run."""

    def __init__(self, configs: Iterable[ModelConfig]) -> None:
        self._configs = list(configs)
        self._limiters: dict[tuple[str, str | None], EndpointLimiter] = {}
        self._rates: dict[tuple[str, str | None, str], Rates] = {}

    def limiter(self, config: ModelConfig) -> EndpointLimiter:
        """The endpoint of `config`. Raises `ConfigError` where its address is none."""
        key = _endpoint(config)
        if key not in self._limiters:
            here = [other for other in self._configs if self._shares(other, key)]
            places = max(other.concurrency for other in (config, *here))
            self._limiters[key] = EndpointLimiter(places, adapts=True, first_pause=config.retry_delay)
        return self._limiters[key]

    def rates(self, config: ModelConfig) -> Rates | None:
        """The rate limits of `config`, None where it has none. Raises `ConfigError` where its address is none."""
        endpoint = _endpoint(config)
        key = (*endpoint, _name(config))
        same = [other for other in self._configs if self._shares(other, endpoint) and _name(other) == key[-1]]
        requests, tokens = (
            min((value for other in (config, *same) if (value := getattr(other, name))), default=None)
            for name in ("requests_per_minute", "tokens_per_minute")
        )
        if requests is None and tokens is None:
            return None
        if key not in self._rates:
            self._rates[key] = Rates(requests_per_minute=requests, tokens_per_minute=tokens)
        return self._rates[key]

    @staticmethod
    def _shares(other: ModelConfig, key: tuple[str, str | None]) -> bool:
        try:
            return _endpoint(other) == key
        except ConfigError:
            return False  # said when that one is opened


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
    where = f"models.{role}"
    if is_embedded(config):
        if role == "embedder":
            return _embedded_embedder(
                config, where, base_dir, on_pull, needs, endpoints or Endpoints([config])
            )
        return _embedded(config, where, base_dir, on_pull, needs, endpoints or Endpoints([config]))
    if role == "embedder":
        return _wire_embedder(config, where, endpoints or Endpoints([config]))
    return _wire(config, where, endpoints or Endpoints([config]))


def is_embedded(config: ModelConfig) -> bool:
    """Whether it runs in an engine of our own."""
    return config.base_url is None and (config.model.startswith("local/") or config.model.endswith(".gguf"))


def _name(config: ModelConfig) -> str:
    """The model's name as the endpoint knows it."""
    if native := native_name(config.model):
        return native.model
    return config.model if config.base_url else config.model.removeprefix("openai/")


def _endpoint(config: ModelConfig) -> tuple[str, str | None]:
    """Address and key of a model, "" and None of an embedded one. Raises `ConfigError` where the address is none."""
    from gpo.model.openai.url import clean_url

    if is_embedded(config):
        return "", None
    if native := native_name(config.model):
        provider = PROVIDERS[native.provider]
        return clean_url(config.base_url or provider.base_url), config.api_key_env or provider.key
    if config.base_url is None:
        return OPENAI, config.api_key_env or "OPENAI_API_KEY"
    return clean_url(config.base_url), config.api_key_env


def check_settings(config: ModelConfig, *, role: str, base_dir: Path, keys: bool = True) -> None:
    """Raise the `ConfigError` that opening the model would, as far as it is told without a call or a download: an
    unknown name, an address that is none and, with `keys`, a key that is not set."""
    where = f"models.{role}"
    if is_embedded(config):
        _weights(config, where, base_dir)
    else:
        key_env = _address(config, where)[1]
        if keys:
            _key(key_env, where)
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


def _embedded(
    config: ModelConfig,
    where: str,
    base_dir: Path,
    on_pull: PullProgress | None,
    needs: Needs | None,
    endpoints: Endpoints,
) -> OpenModel:
    from gpo.model.local.engine_fit import DOUBLE_BELOW, Needs, fit
    from gpo.model.local.model import open_embedded
    from gpo.model.local.weights import resolve

    added = additions(config, where)
    if added.headers:
        raise ConfigError(f"{where}.extra_headers: an embedded model takes none")
    weights = resolve(_weights(config, where, base_dir), progress=on_pull)
    settings = fit(weights.path, needs or Needs())
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


def _embedded_embedder(
    config: ModelConfig,
    where: str,
    base_dir: Path,
    on_pull: PullProgress | None,
    needs: Needs | None,
    endpoints: Endpoints,
) -> OpenModel:
    from gpo.model.local.embedder import EmbeddedEmbedder
    from gpo.model.local.engine_fit import Needs
    from gpo.model.local.model import EmbeddedModel

    embedding = replace(needs or Needs(), embeds=True)
    opened = _embedded(config, where, base_dir, on_pull, embedding, endpoints)
    assert isinstance(opened.client, EmbeddedModel)
    return replace(opened, client=EmbeddedEmbedder(opened.client))


def _address(config: ModelConfig, where: str) -> tuple[str, str | None, str, str]:
    """Address, variable of the key, what to do when nobody answers there, and the model's identity. Raises
    `ConfigError`."""
    from gpo.model.openai.url import wire_identity

    base_url, key_env = config.base_url, config.api_key_env
    advice = f"start it, or correct {where}.base_url"
    if native := native_name(config.model):
        provider = PROVIDERS[native.provider]
        base_url, key_env = base_url or provider.base_url, key_env or provider.key
    if base_url is None:
        if not config.model.startswith("openai/"):
            raise ConfigError(
                f"{where}.model: {config.model!r} is not known; write openai/NAME, anthropic:NAME, gemini:NAME, "
                f"local/NAME (gpo models list), a path to a .gguf file, or give {where}.base_url"
            )
        base_url, key_env = OPENAI, key_env or "OPENAI_API_KEY"
        advice = f"check the network, or give {where}.base_url"
    elif not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"{where}.base_url: {masked_url(base_url)!r} must begin with http:// or https://")
    elif is_masked(base_url):
        raise ConfigError(
            f"{where}.base_url: {MASK} stands for what GPO does not write down; put the password or key in again"
        )
    try:
        return base_url, key_env, advice, wire_identity(base_url, _name(config))
    except ConfigError as error:
        raise ConfigError(f"{where}.base_url: {error}") from None


def wire_client(config: ModelConfig, where: str) -> tuple[OpenAIClient, str]:
    """The bare client of an endpoint, and the model's name there. Raises `ConfigError`."""
    from gpo.model.openai.client import OpenAIClient

    base_url, key_env, _, name = _address(config, where)
    if native := native_name(config.model):
        return _native_client(config, native, where), native.model
    client = OpenAIClient(
        base_url=base_url,
        api_key=_key(key_env, where),
        model=_name(config),
        identity=name,
        timeout=config.timeout,
        added=additions(config, where),
    )
    return client, _name(config)


def _native_client(config: ModelConfig, name: NativeName, where: str) -> OpenAIClient:
    from gpo.model.native import NativeClient

    base_url, key_env, _, _ = _address(config, where)
    if not config.chat:
        raise ConfigError(f"{where}.chat: {name.provider} has chat models only; leave it out")
    return NativeClient(
        name,
        base_url=base_url,
        api_key=_key(key_env, where) or "",
        where=where,
        timeout=config.timeout,
        added=additions(config, where),
    )


def _wire_embedder(config: ModelConfig, where: str, endpoints: Endpoints) -> OpenModel:
    from gpo.model.openai.embeddings import EmbeddingModel

    if (name := native_name(config.model)) is not None:
        raise ConfigError(
            f"{where}.model: {name.provider} has no /embeddings that GPO knows; name another model"
        )

    client, _ = wire_client(config, where)
    return replace(_wire(config, where, endpoints), client=EmbeddingModel(client))


def _wire(config: ModelConfig, where: str, endpoints: Endpoints) -> OpenModel:
    advice = _address(config, where)[2]
    client, _ = wire_client(config, where)
    known = price(config)
    return OpenModel(
        client=client,
        queue=RoleQueue(endpoints.limiter(config), config.concurrency, endpoints.rates(config)),
        retry=RetrySettings(attempts=config.retries + 1, first_delay=config.retry_delay, advice=advice),
        cost=lambda tokens: cost(tokens, known),
        remote=True,
    )


def _key(variable: str | None, where: str) -> str | None:
    return from_environment(variable, f"{where}.api_key_env") if variable else None
