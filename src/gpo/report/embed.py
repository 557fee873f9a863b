"""Putting code and data into one page safely: content policy by hash, JSON that cannot end its script, packed blobs."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

_STATIC = Path(__file__).with_name("static")
_SCRIPTS = (
    "dom",
    "charts",
    "lineage",
    "grid",
    "rows",
    "dialog",
    "downloads",
    "page",
    "live",
    "runs",
    "compare",
)
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


@cache
def style() -> Markup:
    """The style sheet. It is our own text and holds no `</style`."""
    return Markup((_STATIC / "report.css").read_text(encoding="utf-8"))


@cache
def script() -> Markup:
    """All of the page's code as one function."""
    parts = [(_STATIC / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    return Markup('(() => {\n"use strict";\n' + "\n".join(parts) + "\n})();\n")


@cache
def policy(*, live: bool = False) -> str:
    """The content security policy: nothing is loaded and nothing runs but the inline style sheet and script, known by
    their hashes; a live page may ask its own server."""
    rules = [
        "default-src 'none'",
        f"script-src {_hash(script())}",
        f"style-src {_hash(style())}",
        "base-uri 'none'",
        f"form-action {_SELF if live else _NONE}",
    ]
    if live:
        rules.append("connect-src 'self'")
    return "; ".join(rules)


_SELF, _NONE = "'self'", "'none'"


def json_text(value: Any) -> str:
    """`value` as JSON that is safe within any HTML element, scripts included; lone surrogates stay escaped."""
    return json.dumps(_plain(value), ensure_ascii=True, separators=(",", ":")).translate(_ESCAPES)


def pack(value: Any) -> str:
    """`value` as JSON, deflated, in base64: what `unpack` of the page's script reads."""
    text = json.dumps(_plain(value), ensure_ascii=True, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _plain(value: Any) -> Any:
    """Numbers that JSON does not know become null."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
