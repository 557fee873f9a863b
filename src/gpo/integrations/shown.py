"""Values of other tools as text."""

from __future__ import annotations

import json
from typing import Any


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON, or as `str` says it where JSON has no form for it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
