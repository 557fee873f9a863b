"""The limits of a run's endpoints, which the roles at one endpoint share."""

from __future__ import annotations

from collections.abc import Iterable

from gpo.config.models import ModelConfig
from gpo.errors import ConfigError
from gpo.model.address import find_endpoint, name_there
from gpo.model.layers.endpoint_limiter import EndpointLimiter
from gpo.model.layers.rates import Rates


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
        key = find_endpoint(config)
        if key not in self._limiters:
            here = [other for other in self._configs if self._shares(other, key)]
            places = max(other.concurrency for other in (config, *here))
            self._limiters[key] = EndpointLimiter(places, adapts=True, first_pause=config.retry_delay)
        return self._limiters[key]

    def rates(self, config: ModelConfig) -> Rates | None:
        """The rate limits of `config`, None where it has none. Raises `ConfigError` where its address is none."""
        endpoint = find_endpoint(config)
        key = (*endpoint, name_there(config))
        same = [
            other for other in self._configs if self._shares(other, endpoint) and name_there(other) == key[-1]
        ]
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
            return find_endpoint(other) == key
        except ConfigError:
            return False  # said when that one is opened
