"""The name under which a call to an endpoint is remembered. Knows no key."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def clean_url(base_url: str) -> str:
    """`base_url` without credentials, query and fragment, in one spelling: two ways to write an endpoint are one."""
    parts = urlsplit(base_url.strip())
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != default else ""
    return urlunsplit((parts.scheme.lower(), host + port, parts.path.rstrip("/"), "", ""))


def wire_identity(base_url: str, model: str) -> str:
    """Endpoint and model, for instance `https://api.openai.com/v1 gpt-4o-mini`."""
    return f"{clean_url(base_url)} {model}"
