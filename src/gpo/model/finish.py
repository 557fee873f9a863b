"""Why a completion ended, in one word whatever the endpoint calls it."""

from __future__ import annotations

import re
from typing import Literal

CUT = "length"
"""The completion ended at a limit of its length: what is there may be half of it, or nothing."""
FILTERED = "content_filter"
FAILED = "error"
"""The completion broke off: what is there is no answer."""
STOPPED = "stop"

Kind = Literal["length", "content_filter", "error"]

# Looked for in this order, in lower case: a filter's error is the filter's, a limit that was exceeded is a limit.
_KINDS = (
    (
        FILTERED,
        r"filter|safety|sensitive|recitation|refus|block|prohibited|spii|moderation|guardrail|violat|inspection|risk",
    ),
    (
        CUT,
        r"length|max[_ ]?(?:new_|output_|completion_)?tokens?\b|tokens?[_ ]limit|context[_ ]window|max[_ ]?output"
        r"|truncat|too[_ ]long|\blimit\b|incomplete",
    ),
    (
        FAILED,
        r"error|abort|cancel|insufficient[_ ]system|fail|timeout|timed[_ ]out|time[_ ]limit|overload|interrupt"
        r"|disconnect|unavailable|malformed|exception",
    ),
    (
        STOPPED,
        r"^(?:finish_reason_)?(?:stop(?:ped|_sequence)?|end_turn|eos(?:_token)?|complete[d]?|end|done|finished)$",
    ),
)
_READERS = tuple((word, re.compile(pattern)) for word, pattern in _KINDS)
_SAME = frozenset({"", STOPPED, CUT, FILTERED})


def finish_reason(said: object) -> str:
    """`said` by an endpoint as "stop", "length", "content_filter" or "error"; "" where it says nothing, and in its own
    word where that is none of these (a call of a tool, say)."""
    if not isinstance(said, str):
        return ""
    if said in _SAME:
        return said
    word = said.strip().lower().replace("-", "_")[:80]
    if word.startswith("time") and "limit" in word:
        return FAILED
    return next((kind for kind, reader in _READERS if reader.search(word)), said)
