"""What went wrong on the wire, sorted into transient and permanent, in one line without secrets.

Knows HTTP and the habits of providers' error bodies. A server's words are untrusted text.
"""

from __future__ import annotations

import json
import math
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from gpo.errors import ModelError, PermanentModelError, TransientModelError

if TYPE_CHECKING:
    import aiohttp

Parameter = Literal["max_tokens", "temperature", "seed", "stop", "n"]
Secrets = str | Sequence[str] | None
"""What must not stand in an error: a key, or several."""

_PARAMETERS: Sequence[Parameter] = ("max_tokens", "temperature", "seed", "stop", "n")
_SECRET = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[^\s\"',;]{6,}|\b(?:sk|pk|rk|gsk|xai|key)-[\w\-*.]{6,}|\bAIza[\w\-]{10,}"
)
_CONTEXT = re.compile(
    r"(?i)context.{0,20}(length|size|window)|maximum context|too many tokens|(prompt|input) is too long|"
    r"exceed.{0,40}\bcontext\b"
)
_FILTER = re.compile(r"(?i)content.?(filter|management|policy)|safety system")
_QUOTA = re.compile(r"(?i)insufficient_quota|exceeded your current quota|\bbilling\b")
_UNSUPPORTED = re.compile(
    r"(?i)unsupported|(not|n't) (yet )?(support|permit|allow)|unrecognized|unknown (parameter|field|argument)|"
    r"extra (inputs|fields|parameters)"
)
_ONE_CHOICE = re.compile(
    r"(?i)only one (completion )?choice|multiple (choices|completions)|"
    r"(?<![\w'])['\"`]?n['\"`]?\s*(>|=|:|must|should|greater|cannot|can't|is not)"
)
_PROXY = "the proxy in HTTPS_PROXY or HTTP_PROXY"
_CHECK_PROXY = f"check {_PROXY}"
_LONGEST = 200
# Of a longer body the rest is not looked at: an error needs no more.
_READ = 20_000
_LONGEST_WAIT = 3600.0


class UnreachableError(TransientModelError):
    """No connection came about: nobody listens there, the name is unknown, or the network is down."""

    unsent = True


class EmptyReplyError(TransientModelError):
    """A good answer without any completion in it: mostly a passing fault, now and then what a server says to an input
    that it will not answer."""


def redact(text: str, key: Secrets = None) -> str:
    """`text` without `key`, in any of the spellings that a server echoes, and whatever else looks like a key."""
    keys = (key,) if isinstance(key, str) else key or ()
    spellings = {
        spelling
        for one in keys
        if len(one) > 2
        for spelling in (one, quote(one, safe=""), json.dumps(one)[1:-1])
    }
    if spellings:
        anyone = "|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True))
        text = re.sub(anyone, "[key]", text, flags=re.IGNORECASE)
    return _SECRET.sub("[key]", text)


def response_error(
    status: int, headers: Mapping[str, str], body: bytes, *, endpoint: str, key: Secrets
) -> ModelError:
    """The error for a response other than 200, with the provider's own words."""
    words = _provider_words(body, key)
    line = f"{endpoint}: HTTP {status}" + (f": {words}" if words else "")
    text = body[:_READ].decode("utf-8", "replace")
    # llama.cpp's server tells an overflow with a 500.
    if status in (400, 413, 422, 500) and (_CONTEXT.search(text) or (status < 500 and _FILTER.search(text))):
        return PermanentModelError(line, scope="call", status=status)
    transient = status in (408, 409, 425) or (status >= 500 and status not in (501, 505))
    if transient or (status == 429 and not _QUOTA.search(text)):
        return TransientModelError(line, retry_after=retry_after(headers), status=status)
    hints = {
        401: "check the key (api_key_env)",
        403: "check the key's rights",
        404: "check the model and base_url",
        407: _CHECK_PROXY,
        413: "the request is too large",
    }
    hint = "check base_url (the server points elsewhere)" if 300 <= status < 400 else hints.get(status)
    scope = "call" if status == 413 else "run"
    return PermanentModelError(line + (f"; {hint}" if hint else ""), scope=scope, status=status)


def unsupported_parameter(body: bytes) -> Parameter | None:
    """The parameter that a 400 says the endpoint does not take, or None where it is about something else.

    Reasoning models take neither `max_tokens` nor a temperature, some servers no seed and no second choice.
    """
    error = _error_object(body)
    if error is None:
        return None
    named, message = error.get("param"), str(error.get("message") or error.get("detail") or "")
    if _ONE_CHOICE.search(message) or (named == "n" and len(message) < _READ):
        return "n"
    if not _UNSUPPORTED.search(message):
        return None
    if named in _PARAMETERS:
        return next(name for name in _PARAMETERS if name == named)
    quoted = (name for name in _PARAMETERS if re.search(rf"['\"`]{name}['\"`]", message))
    return next(quoted, None)


def unreadable_error(body: bytes, *, endpoint: str, key: Secrets) -> TransientModelError:
    """The error for a 200 whose body is no completion: cut off, not JSON, or of another shape."""
    start = clean(redact(body[:_READ].decode("utf-8", "replace"), key))[:80]
    return TransientModelError(f"{endpoint}: the answer is no completion (it begins {start!r})", status=200)


def connection_error(error: Exception, base_url: str, key: Secrets = None) -> ModelError:
    """The error for a connection that was refused, lost or never made."""
    import aiohttp
    from yarl import URL

    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.InvalidURL):
        return _proxy_error(error, base_url, key)
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLError | ssl.CertificateError) for cause in causes):
        reason = clean(redact(str(error), key))
        insecure = PermanentModelError(
            f"no secure connection to {base_url}: {reason}; check base_url (http or https?)"
        )
        insecure.unsent = isinstance(error, aiohttp.ClientConnectorError)
        return insecure
    if not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        # `str` of an error about a response ends with the whole address.
        said = _told(error) if isinstance(error, aiohttp.ClientResponseError) else str(error)
        reason = clean(redact(f"{type(error).__name__} {said}".strip(), key))
        return TransientModelError(f"the connection to {base_url} failed ({reason})")
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        reason = f"{_PROXY} does not answer"
    elif any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        reason = "connection refused"
    elif isinstance(error, aiohttp.ClientConnectorDNSError):
        ours = error.host in (URL(base_url).host, URL(base_url).raw_host)
        reason = "the host name is not known" if ours else f"the host name of {_PROXY} is not known"
    else:
        reason = clean(redact(str(causes[-1]) or type(error).__name__, key))
    return UnreachableError(f"no model server answers at {base_url} ({reason})")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait (at most an hour): `retry-after-ms`, or `Retry-After` as seconds or as a
    date; None where it says nothing that can be read."""
    lower = {name.lower(): value for name, value in headers.items()}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = lower.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            try:
                seconds = parsedate_to_datetime(value).timestamp() - time.time()
            except (ValueError, OverflowError):
                continue
        if math.isfinite(seconds):
            return min(max(0.0, seconds), _LONGEST_WAIT)
    return None


def clean(text: str) -> str:
    """`text` as a part of one line: without control, format and bidirectional characters, and not long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def _proxy_error(
    error: aiohttp.ClientHttpProxyError | aiohttp.InvalidURL, base_url: str, key: Secrets
) -> ModelError:
    """The error for a proxy that lets nobody through, or whose address is none: the text of both holds its password."""
    import aiohttp

    if isinstance(error, aiohttp.InvalidURL):
        found: ModelError = PermanentModelError(
            f"{base_url} cannot be asked ({type(error).__name__}); check base_url and {_PROXY}"
        )
    else:
        line = f"the proxy does not let us through to {base_url} ({clean(redact(_told(error), key))})"
        passing = error.status >= 500 or error.status in (408, 429)
        found = (
            TransientModelError(line, status=error.status)
            if passing
            else PermanentModelError(f"{line}; {_CHECK_PROXY}", status=error.status)
        )
    found.unsent = True
    return found


def _told(error: aiohttp.ClientResponseError) -> str:
    return f"HTTP {error.status}: {error.message}"


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in causes:
        causes.append(current)
        current = getattr(current, "os_error", None) or current.__cause__
    return causes


def _error_object(body: bytes) -> dict[str, Any] | None:
    """The part of an error body that describes the error: providers wrap it differently."""
    try:
        data = json.loads(body[:_READ])
    except (ValueError, RecursionError):
        return None
    data = data[0] if isinstance(data, list) and data else data
    error = data.get("error", data) if isinstance(data, dict) else None
    return {"message": error} if isinstance(error, str) else error if isinstance(error, dict) else None


def _provider_words(body: bytes, key: Secrets) -> str:
    error = _error_object(body)
    if error is None:
        words = re.sub(r"<[^<>]*>", " ", body[:_READ].decode("utf-8", "replace"))
    else:
        words = str(error.get("message") or error.get("detail") or "")
    # Characters that a terminal would not show may stand inside of a key: they go first.
    shown = "".join(c for c in words if c.isprintable() or c.isspace())
    return clean(redact(shown, key))
