"""What a model costs. An unknown price is None and never zero; an embedded model costs nothing.

Prices come from the bundled table of `genai-prices` (no network) or from the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import ValidationError

from gpo.config.models import ModelConfig, Price
from gpo.extras import install, is_installed
from gpo.model.providers import PROVIDERS, native_name

MILLION = 1_000_000


class Tokens(Protocol):
    """Token counts; `cached_tokens` is a part of `prompt_tokens`."""

    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...
    @property
    def cached_tokens(self) -> int: ...


Cost = Callable[[Tokens], float | None]
"""Dollars for token counts, None where a price is unknown."""


def price(config: ModelConfig) -> Price | None:
    """Dollars for a million tokens: the user's own, zero for embedded weights, the table's, or None for unknown."""
    if config.price is not None:
        return config.price
    if config.base_url is None and (config.model.startswith("local/") or config.model.endswith(".gguf")):
        return Price(input=0, output=0, cached_input=0)
    if config.base_url is None and (native := native_name(config.model)):
        return _from_table(native.model, provider=PROVIDERS[native.provider].prices)
    if config.base_url is None and config.model.startswith("openai/"):
        return _from_table(config.model.removeprefix("openai/"), provider="openai")
    if config.base_url is not None and urlsplit(config.base_url).hostname in (
        "127.0.0.1",
        "localhost",
        "::1",
    ):
        return None  # a gateway on this machine may pass a famous model's name on to someone who charges
    return _from_table(config.model, url=config.base_url)


def add_dollars(costs: Iterable[float | None]) -> float | None:
    """The sum of `costs`, unknown (None) where one of them is."""
    known = list(costs)
    return None if None in known else sum(value for value in known if value is not None)


def missing_table() -> str:
    """What to add where a price is not known: how to get the table of prices, "" where it is here."""
    return "" if is_installed("genai_prices") else f"; GPO's table of prices is an extra: {install('prices')}"


def recorded_price(section: object) -> Price | None:
    """The price of a model's section as a run wrote it down; None also where another version of GPO wrote it."""
    try:
        return price(ModelConfig.model_validate(section))
    except ValidationError:
        return None


def cost(tokens: Tokens, price: Price | None) -> float | None:
    """Dollars for `tokens`, None where the price is unknown."""
    if price is None:
        return None
    cached_rate = price.input if price.cached_input is None else price.cached_input
    fresh = tokens.prompt_tokens - tokens.cached_tokens
    return (
        fresh * price.input + tokens.cached_tokens * cached_rate + tokens.completion_tokens * price.output
    ) / MILLION


def _from_table(model: str, *, provider: str | None = None, url: str | None = None) -> Price | None:
    if not is_installed("genai_prices"):
        return None
    from genai_prices import Usage, calc_price

    def dollars(**tokens: int) -> float | None:
        try:
            usage = Usage(**tokens)
            if url is not None:
                found = calc_price(usage, model_ref=model, provider_api_url=url)
            else:
                found = calc_price(usage, model_ref=model, provider_id=provider)
        except LookupError:
            return None
        return float(Decimal(found.total_price))

    # A tariff in steps by context length is no single rate; prompts are short and pay its first step, so the
    # rate is read off at a thousand tokens.
    rate = 1000
    input_ = dollars(input_tokens=rate)
    output = dollars(output_tokens=rate)
    if input_ is None or output is None:
        return None
    cached = dollars(input_tokens=rate, cache_read_tokens=rate)
    scale = MILLION / rate
    return Price(
        input=input_ * scale, output=output * scale, cached_input=None if cached is None else cached * scale
    )
