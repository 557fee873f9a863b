"""What went wrong on the wire, sorted into transient and permanent, in one line without secrets.

Knows HTTP and the habits of providers' error bodies. A server's words are untrusted text.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from gpo.errors import ModelError, PermanentModelError, TransientModelError

_SECRET = re.compile(
    r"(?i)bearer\s+[^\s\"',;]+|\b(?:sk|pk|rk|gsk|xai|key)-[A-Za-z0-9_\-*.]{6,}|\bAIza[\w\-]{10,}"
)
_CONTEXT = re.compile(
    r"(?i)context.{0,20}(length|size|window)|maximum context|too many tokens|prompt is too long"
)
_FILTER = re.compile(r"(?i)content.?(filter|management|policy)|safety system")
_QUOTA = re.compile(r"(?i)insufficient_quota|exceeded your current quota|billing")
_LONGEST = 200


def redact(text: str, key: str | None = None) -> str:
    """`text` without `key` and whatever else looks like one."""
    if key:
        text = text.replace(key, "[key]")
    return _SECRET.sub("[key]", text)


def response_error(
    status: int, headers: Mapping[str, str], body: bytes, *, endpoint: str, key: str | None
) -> ModelError:
    """The error for a response other than 200."""
    words = _provider_words(body, key)
    line = f"{endpoint}: HTTP {status}" + (f": {words}" if words else "")
    text = body[:10_000].decode("utf-8", "replace")
    if status == 429 and not _QUOTA.search(text):
        return TransientModelError(line, retry_after=retry_after(headers), status=status)
    if status in (408, 409, 425) or status >= 500:
        if _CONTEXT.search(text):  # llama.cpp's server says so with a 500
            return PermanentModelError(line, scope="call", status=status)
        return TransientModelError(line, retry_after=retry_after(headers), status=status)
    if status in (400, 413, 422) and (_CONTEXT.search(text) or _FILTER.search(text)):
        return PermanentModelError(line, scope="call", status=status)
    hints = {
        401: "check the key (api_key_env)",
        403: "check the key's rights",
        404: "check the model and base_url",
    }
    hint = f"; {hints[status]}" if status in hints else ""
    return PermanentModelError(line + hint, status=status)


def unreadable_error(body: bytes, *, endpoint: str, key: str | None) -> TransientModelError:
    """The error for a 200 whose body is no completion: cut off, not JSON, or of another shape."""
    start = _clean(redact(body[:80].decode("utf-8", "replace"), key))
    return TransientModelError(f"{endpoint}: the answer is no completion (it begins {start!r})", status=200)


def connection_error(error: Exception, base_url: str) -> TransientModelError:
    """The error for a connection that was refused, lost or never made."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ConnectionRefusedError):
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    if cause is not None:
        return TransientModelError(
            f"no model server answers at {base_url} (connection refused); start it, or correct base_url"
        )
    reason = _clean(f"{type(error).__name__} {error}".strip())
    return TransientModelError(f"the connection to {base_url} failed ({reason})")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: `retry-after-ms`, or `Retry-After` as seconds or as a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name) or headers.get(name.title())
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            try:
                seconds = parsedate_to_datetime(value).timestamp() - time.time()
            except ValueError:
                continue
        return min(max(0.0, seconds), 3600.0) if seconds == seconds else None
    return None


def _provider_words(body: bytes, key: str | None) -> str:
    text = body[:20_000].decode("utf-8", "replace")
    try:
        data = json.loads(text)
        error = data.get("error", data)
        words = error if isinstance(error, str) else error.get("message") or error.get("detail") or ""
    except (ValueError, AttributeError, RecursionError):
        words = re.sub(r"<[^>]*>", " ", text)
    return _clean(redact(str(words), key))


def _clean(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
