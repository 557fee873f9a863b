"""How an endpoint is written down: one spelling, and no secret in it."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from gpo.config.masking import masked_url, query_identity
from gpo.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What people copy from a provider's page when the base URL is asked for.
_PATHS = ("/chat/completions", "/completions")


def clean_url(base_url: str) -> str:
    """`base_url` without credentials, query and fragment, in one spelling: two ways to write an endpoint are one.

    A port stays (two servers on one machine are two endpoints) unless it is the scheme's own. Raises `ConfigError`
    where it is no http(s) address; the line names no key, which is the caller's to add.
    """
    parts = split_url(base_url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS[parts.scheme] else ""
    path = parts.path.rstrip("/")
    for ending in _PATHS:
        path = path.removesuffix(ending)
    return urlunsplit((parts.scheme, host + port, path.rstrip("/"), "", ""))


def split_url(base_url: str) -> SplitResult:
    """The parts of a valid http(s) address. Raises `ConfigError`."""
    try:
        parts = urlsplit(base_url.strip())
        valid = (
            parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        )
        (parts.hostname or "").encode("idna")  # a part that is empty or too long cannot be looked up
    except ValueError:
        valid = False
    if not valid:
        shown = masked_url(base_url.strip())[:100]
        raise ConfigError(
            f"{shown!r} is no address of a server; write it as http://HOST:PORT/v1 or https://HOST/v1"
        )
    return parts


def wire_identity(base_url: str, model: str) -> str:
    """Endpoint and model, for instance `https://api.openai.com/v1 gpt-4o-mini`, with what of a query an answer may
    depend on. Raises `ConfigError`."""
    query = query_identity(split_url(base_url).query)
    return f"{clean_url(base_url)}{'?' if query else ''}{query} {model}"
