"""What of an address may be shown and written down: no password, and no key in its query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

MASK = "***"
# What gateways ask for in a query that is no secret: Azure's version above all. Any other value may be a key.
_PLAIN = re.compile(r"(?i)(api[-_]version|version|deployment|location|model|region)=[\w.\-]*", flags=re.ASCII)
_SECRET_NAME = re.compile(
    r"(?i)(^|[-_.])(api[-_]?key|apikey|key|token|sig|signature|secret|password|passwd|pwd|auth|authorization|credential|"
    r"cookie|session|code)s?$|subscription[-_]key|access[-_]?token"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", flags=re.ASCII)
_KEY_STARTS = ("sk_", "gsk_", "hf_", "ghp_", "github_pat_", "glpat", "xai_", "pk_", "r8_", "aiza", "akia")
_KEY_LENGTH = 20
_SHORTEST = 6
"""Characters from which a secret is looked for in a server's words: a shorter one stands in them by accident."""


def masked_url(url: str) -> str:
    """`url` with `MASK` for user and password, for all values of its query but those that are known to be no secret,
    and for its fragment. One without any of them is unchanged, and so is one that is masked."""
    if not set("@?#") & set(url):
        return url
    parts = _split(url)
    if parts is None:
        return _mask_unsplit(url)
    if not parts.fragment and "@" not in parts.netloc and not _find_hidden(parts.query):
        return url
    place = parts.netloc.rpartition("@")[2]
    query = "&".join(_mask_item(item) for item in parts.query.split("&"))
    return parts._replace(
        netloc=f"{MASK}@{place}" if "@" in parts.netloc else place,
        query=query,
        fragment=MASK if parts.fragment else "",
    ).geturl()


def mask_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved configuration as JSON values, the addresses of its models masked."""
    models = config.get("models")
    if not isinstance(models, Mapping):
        return dict(config)
    return {**config, "models": {role: _mask_model(model) for role, model in models.items()}}


def looks_secret(name: str) -> bool:
    """Whether what is called `name` (of a query, a header, a body) is a key or a password by its name."""
    return _SECRET_NAME.search(name) is not None


def query_identity(query: str) -> str:
    """What of an address's query an answer may depend on, as a part of its identity; "" where nothing. Items that are
    known to be no secret stand as they are, what is a key by its name changes no answer and is left out, and of any
    other only a keyed digest is told. Their order does not matter."""
    told: list[str] = []
    for item in query.split("&"):
        name, equals, value = item.partition("=")
        if re.match(r"(?i)api[-_]version=", item):
            continue  # the form of what is said, not who answers
        if _PLAIN.fullmatch(item):
            told.append(item)
        elif equals and value and not looks_secret(unquote_plus(name)):
            digest = blake2b(item.encode("utf-8", "replace"), key=b"gpo query of base_url", digest_size=8)
            told.append(f"{name}~{digest.hexdigest()}" if name.isidentifier() else digest.hexdigest())
    return "&".join(sorted(told))


def is_masked(url: str) -> bool:
    """Whether `url` is what `masked_url` left of another one: nobody answers to it."""
    return MASK in re.split(r"[@?&=#]|://", url)


def looks_like_key(name: str) -> bool:
    """Whether what should be the name of an environment variable may be a key: no name of a variable, or a long word
    that mixes letters and digits as no name does."""
    if not _VARIABLE.fullmatch(name) or name.lower().startswith(_KEY_STARTS):
        return True
    longest = max(name.split("_"), key=len)
    mixed = any(c.isdigit() for c in longest) and any(c.isalpha() for c in longest)
    return len(longest) >= _KEY_LENGTH and (mixed or not name.isupper())


def url_secrets(url: str) -> tuple[str, ...]:
    """What `masked_url` hides of `url`, as it is spelled there and decoded; of all but the password what is long enough
    to be looked for in what a server says."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ()
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    values = [value for value in (user, *_find_hidden(parts.query)) if len(value) >= _SHORTEST]
    found = (way(value) for value in (password, *values) if value for way in (str, unquote, unquote_plus))
    return tuple(dict.fromkeys(found))


def _split(url: str) -> SplitResult | None:
    """The parts of `url`; None where it cannot be told which is which, as with an odd character in a password."""
    try:
        parts = urlsplit(url.strip())
        readable = parts.port is None or parts.port > 0
    except ValueError:
        return None
    # Behind the host an @ is the end of a password with an odd character rather than anything else.
    return parts if readable and "@" not in parts.path + parts.query + parts.fragment else None


def _mask_unsplit(url: str) -> str:
    head, *tail = re.split(r"([?#])", url.strip(), maxsplit=1)
    scheme = re.match(r"[a-z]+://|", head, flags=re.IGNORECASE)
    start = scheme[0] if scheme else ""
    if "@" in "".join(tail):
        return start + MASK
    _, at, place = head.rpartition("@")
    return (f"{start}{MASK}@{place}" if at else head) + (f"{tail[0]}{MASK}" if tail else "")


def _find_hidden(query: str) -> list[str]:
    """The values of a query that may be secrets."""
    items = [item.partition("=") for item in query.split("&") if item and not _PLAIN.fullmatch(item)]
    return [value if equals else name for name, equals, value in items]


def _mask_item(item: str) -> str:
    if not item or _PLAIN.fullmatch(item):
        return item
    name, equals, _ = item.partition("=")
    return f"{name}={MASK}" if equals else MASK


def _mask_model(model: Any) -> Any:
    if not isinstance(model, Mapping):
        return model
    masked = dict(model)
    if isinstance(model.get("base_url"), str):
        masked["base_url"] = masked_url(model["base_url"])
    if headers := model.get("extra_headers"):
        masked["extra_headers"] = {
            name: MASK if isinstance(value, str) else value for name, value in dict(headers).items()
        }
    if body := model.get("extra_body"):
        masked["extra_body"] = _mask_body(body)
    return masked


def _mask_body(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _mask_body(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_body(inner, name) for inner in value]
    return MASK if isinstance(value, str) and looks_secret(name) else value
