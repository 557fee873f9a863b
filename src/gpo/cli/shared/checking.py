"""What `gpo models check` asks and says, for the models of a configuration or for one that is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpo.config.load import load_config
from gpo.config.masking import masked_url
from gpo.config.models import ModelConfig
from gpo.errors import ConfigError
from gpo.model.address import is_embedded
from gpo.model.factory import wire_client
from gpo.model.openai.check import Findings, advice, check_endpoint, lines
from gpo.model.prices import price
from gpo.paths import CONFIG_FILE
from gpo.text import printable


@dataclass(frozen=True, slots=True)
class Checked:
    """One endpoint and what was found."""

    config: ModelConfig
    findings: Findings
    price_known: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        known = {"model": self.config.model, "price_known": self.price_known}
        return {
            **known,
            **self.findings.to_dict(),
            "config": advice(self.findings, self._keys(), self.price_known),
        }

    def lines(self) -> list[str]:
        """For a person: what was found, then the lines for a configuration."""
        head = f"{self.config.model} at {masked_url(self.config.base_url or 'https://api.openai.com/v1')}"
        found = [
            printable(head),
            *(f"  {printable(line)}" for line in lines(self.findings, self.price_known)),
        ]
        return (
            found
            if self.findings.error
            else [*found, "", *advice(self.findings, self._keys(), self.price_known), ""]
        )

    def _keys(self) -> dict[str, Any]:
        made: dict[str, Any] = {"model": self.config.model}
        if self.config.base_url:
            made["base_url"] = masked_url(self.config.base_url)
        if self.config.api_key_env:
            made["api_key_env"] = self.config.api_key_env
        return made


def configured(
    path: Path | None, base_url: str | None, model: str | None, api_key_env: str | None
) -> dict[str, ModelConfig]:
    """The models to ask, by role: those of `path`, of gpo.yaml where nothing is named, or the one at the address.
    Raises `ConfigError` where there is neither."""
    if path is None and base_url is None and model is None and CONFIG_FILE.exists():
        path = CONFIG_FILE
    if path is not None:
        loaded = load_config(path)
        found: dict[str, ModelConfig] = {}
        for role, config in loaded.models.roles().items():
            if role == "task" and loaded.task.identity:
                continue  # a program that does its own work takes its place
            if all(
                (config.model, config.base_url) != (known.model, known.base_url) for known in found.values()
            ):
                found[role] = config
        return found
    if model is None:
        raise ConfigError("gpo models check: name a configuration, or --model NAME with --base-url URL")
    return {"task": ModelConfig(model=model, base_url=base_url, api_key_env=api_key_env)}


async def check_models(configs: Mapping[str, ModelConfig]) -> dict[str, Checked]:
    """What each endpoint is. Raises `ConfigError` for one that cannot be asked."""
    found = {}
    for role, config in configs.items():
        if is_embedded(config):
            raise ConfigError(f"models.{role}.model: {config.model} is embedded; there is no endpoint to ask")
        client, name = wire_client(config, f"models.{role}")
        try:
            findings = await check_endpoint(client, name, extra=dict(config.extra_body))
        finally:
            await client.aclose()
        found[role] = Checked(config, findings, price(config) is not None)
    return found
