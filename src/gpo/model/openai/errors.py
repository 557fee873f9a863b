"""What went wrong on the wire, sorted into transient and permanent, in one line without secrets.

A server's words are untrusted text.
"""

from __future__ import annotations

import json
import math
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gpo.errors import ModelError, PermanentModelError, TransientModelError
from gpo.model.openai import refusals
from gpo.model.openai.refusals import READ

if TYPE_CHECKING:
    import aiohttp

Secrets = str | Sequence[str] | None
"""What must not stand in an error: a key, or several."""

_SECRET = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[^\s\"',;]{6,}|\b(?:sk|pk|rk|gsk|xai|key)-[\w\-*.]{6,}|\bAIza[\w\-]{10,}"
)
_PROXY = "the proxy in HTTPS_PROXY or HTTP_PROXY"
_CHECK_PROXY = f"check {_PROXY}"
_INPUT = (400, 403, 413, 422, 451)
"""A refusal with one of these may be of one call's text alone."""
_HINTS = {
    401: "check the key (api_key_env)",
    402: "no quota or money is left there",
    403: "check the key's rights",
    404: "check the model and base_url",
    405: "check base_url",
    407: _CHECK_PROXY,
    413: "the request is too large",
}
_LONGEST = 200
_LONGEST_WAIT = 3600.0


class UnreachableError(TransientModelError):
    """No connection came about: nobody listens there, the name is unknown, or the network is down."""

    unsent = True


class LoadingError(TransientModelError):
    """The server is there and its model not yet: it is waited for."""


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
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    endpoint: str,
    key: Secrets,
    own_fault: bool = False,
    hint: str = "",
) -> ModelError:
    """The error for a response other than 200, with the provider's own words. `own_fault`: other calls of the same
    parameters were answered, so that a refusal is this call's; `hint` ends the line of one that ends the run."""
    told = _provider_words(body, key)
    line = f"{endpoint}: HTTP {status}" + (f": {told}" if told else "")
    words = refusals.said(body)
    wait = retry_after(headers)
    wait = refusals.wait_in(body) if wait is None else wait
    if refusals.is_rate(status, words, wait):
        # Whatever the status: who limits and waits for rates knows them by 429.
        return TransientModelError(line, retry_after=wait, status=429)
    about_input = refusals.is_about_input(words)
    # llama.cpp's server tells an overflow with a 500.
    if (status in _INPUT and (about_input or own_fault)) or (status == 500 and refusals.is_overflow(words)):
        return PermanentModelError(line, scope="call", status=status)
    if status == 503 and refusals.is_loading(words):
        return LoadingError(line, retry_after=wait, status=status)
    if status in (408, 409, 425) or (status >= 500 and status not in (501, 505)):
        return TransientModelError(line, retry_after=wait, status=status)
    scope = "call" if status == 413 or refusals.is_too_large_for_a_minute(words) else "run"
    hint = hint or _hint(status, words)
    return PermanentModelError(line + (f"; {hint}" if hint else ""), scope=scope, status=status)


def _hint(status: int, words: str) -> str:
    if refusals.is_spent(words):
        return "no quota or money is left there"
    if 300 <= status < 400:
        return "check base_url (the server points elsewhere)"
    if status == 400 and refusals.is_about_all(words):
        return "check the key (api_key_env) and the model"
    return _HINTS.get(status, "")


def unreadable_error(body: bytes, *, endpoint: str, key: Secrets) -> TransientModelError:
    """The error for a 200 whose body is no completion: cut off, not JSON, or of another shape."""
    start = clean(redact(body[:READ].decode("utf-8", "replace"), key))[:80]
    return TransientModelError(f"{endpoint}: the answer is no completion (it begins {start!r})", status=200)


def connection_error(error: Exception, base_url: str, key: Secrets = None) -> ModelError:
    """The error for a connection that was refused, lost or never made."""
    import aiohttp
    from yarl import URL

    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.InvalidURL):
        return _proxy_error(error, base_url, key)
    causes = _causes(error)
    if _is_insecure(causes):
        return _insecure_error(
            str(error), base_url, key, unsent=isinstance(error, aiohttp.ClientConnectorError)
        )
    if not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        # `str` of an error about a response ends with the whole address.
        said = _describe(error) if isinstance(error, aiohttp.ClientResponseError) else str(error)
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


def exchange_error(error: Exception, base_url: str, key: Secrets = None) -> ModelError:
    """The error for an exchange that `gpo.model.http` could not begin (`ConnectFailedError`) or not finish."""
    from gpo.model.http.pool import ConnectFailedError

    causes = _causes(error)
    unsent = isinstance(error, ConnectFailedError)
    if _is_insecure(causes):
        return _insecure_error(str(causes[-1]), base_url, key, unsent=unsent)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        reason = "connection refused"
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        reason = "the host name is not known"
    else:
        reason = clean(redact(str(causes[-1]) or type(causes[-1]).__name__, key))
    if unsent:
        return UnreachableError(f"no model server answers at {base_url} ({reason})")
    return TransientModelError(f"the connection to {base_url} failed ({reason})")


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


def _is_insecure(causes: Sequence[BaseException]) -> bool:
    return any(isinstance(cause, ssl.SSLError | ssl.CertificateError) for cause in causes)


def _insecure_error(said: str, base_url: str, key: Secrets, *, unsent: bool) -> ModelError:
    reason = clean(redact(said, key))
    error = PermanentModelError(
        f"no secure connection to {base_url}: {reason}; check base_url (http or https?)"
    )
    error.unsent = unsent
    return error


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
        line = f"the proxy does not let us through to {base_url} ({clean(redact(_describe(error), key))})"
        passing = error.status >= 500 or error.status in (408, 429)
        found = (
            TransientModelError(line, status=error.status)
            if passing
            else PermanentModelError(f"{line}; {_CHECK_PROXY}", status=error.status)
        )
    found.unsent = True
    return found


def _describe(error: aiohttp.ClientResponseError) -> str:
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
        data = json.loads(body[:READ])
    except (ValueError, RecursionError):
        return None
    data = data[0] if isinstance(data, list) and data else data
    error = (data.get("error") or data) if isinstance(data, dict) else data
    return {"message": error} if isinstance(error, str) else error if isinstance(error, dict) else None


def _provider_words(body: bytes, key: Secrets) -> str:
    error = _error_object(body)
    if error is None:
        words = re.sub(r"<[^<>]*>", " ", body[:READ].decode("utf-8", "replace"))
    else:
        told = error.get("message") or error.get("detail") or ""
        words = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    # Characters that a terminal would not show may stand inside of a key: they go first.
    shown = "".join(c for c in words if c.isprintable() or c.isspace())
    return clean(redact(shown, key))
