"""JSON without spaces, many times a call: the standard library's own encoder, made once.

`json.JSONEncoder.encode` makes its C encoder anew for each value, which takes longer than to encode a small one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as library
from typing import Any

_PROBE = {"a": ["é\ud800\n", 1.5, None, True, {"b": 2**70}], "c": []}


def compact_encoder(*, ensure_ascii: bool) -> Callable[[Any], str]:
    """A function that does what `json.dumps` does with these separators: `,` and `:`. Circles end in a
    `RecursionError`."""
    standard = json.JSONEncoder(ensure_ascii=ensure_ascii, separators=(",", ":"))
    try:
        fast = _made_once(standard, ensure_ascii)
        return fast if fast(_PROBE) == standard.encode(_PROBE) else standard.encode
    except Exception:  # another Python may build it in another way, or not have it
        return standard.encode


def _made_once(standard: json.JSONEncoder, ensure_ascii: bool) -> Callable[[Any], str]:
    escape = library.encode_basestring_ascii if ensure_ascii else library.encode_basestring
    make: Any = getattr(library, "c_make_encoder")  # noqa: B009 - no part of the library's interface
    encode = make(None, standard.default, escape, None, ":", ",", False, False, True)
    join = "".join
    return lambda value: join(encode(value, 0))
