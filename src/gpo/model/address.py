"""Where a configured model answers: its address, the variable of its key, its name and its identity there."""

from __future__ import annotations

from dataclasses import dataclass

from gpo.config.masking import MASK, is_masked, masked_url
from gpo.config.models import ModelConfig
from gpo.errors import ConfigError
from gpo.model.providers import PROVIDERS, native_name

OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Address:
    """`key_env` names the variable of the key, None where there is none. `advice` says what to do when nobody answers,
    `identity` is the model's in journals and in the user's store."""

    base_url: str
    key_env: str | None
    advice: str
    identity: str


def is_embedded(config: ModelConfig) -> bool:
    """Whether it runs in an engine of our own."""
    return config.base_url is None and (config.model.startswith("local/") or config.model.endswith(".gguf"))


def name_there(config: ModelConfig) -> str:
    """The model's name as the endpoint knows it."""
    if native := native_name(config.model):
        return native.model
    return config.model if config.base_url else config.model.removeprefix("openai/")


def find_endpoint(config: ModelConfig) -> tuple[str, str | None]:
    """Address and variable of the key, by which an endpoint is told from another; "" and None of an embedded model.
    Raises `ConfigError` where the address is none."""
    from gpo.model.openai.url import clean_url

    if is_embedded(config):
        return "", None
    base_url, key_env = _place(config)
    return clean_url(base_url), key_env


def find_address(config: ModelConfig, where: str) -> Address:
    """The address of a model that is not embedded; `where` is its section. Raises `ConfigError` naming the key."""
    from gpo.model.openai.url import wire_identity

    base_url, key_env = _place(config)
    advice = f"start it, or correct {where}.base_url"
    if config.base_url is None and native_name(config.model) is None:
        if not config.model.startswith("openai/"):
            raise ConfigError(
                f"{where}.model: {config.model!r} is not known; write openai/NAME, anthropic:NAME, gemini:NAME, "
                f"local/NAME (gpo models list), a path to a .gguf file, or give {where}.base_url"
            )
        advice = f"check the network, or give {where}.base_url"
    elif not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"{where}.base_url: {masked_url(base_url)!r} must begin with http:// or https://")
    elif is_masked(base_url):
        raise ConfigError(
            f"{where}.base_url: {MASK} stands for what GPO does not write down; put the password or key in again"
        )
    try:
        return Address(base_url, key_env, advice, wire_identity(base_url, name_there(config)))
    except ConfigError as error:
        raise ConfigError(f"{where}.base_url: {error}") from None


def _place(config: ModelConfig) -> tuple[str, str | None]:
    """Address and variable of the key as configured, or as the provider's name implies them."""
    if native := native_name(config.model):
        provider = PROVIDERS[native.provider]
        return config.base_url or provider.base_url, config.api_key_env or provider.key
    if config.base_url is None:
        return OPENAI, config.api_key_env or "OPENAI_API_KEY"
    return config.base_url, config.api_key_env
