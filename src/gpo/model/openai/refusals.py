"""What a refusal (a 4xx, now and then a 5xx) is about: a parameter, the system turn, one call's text, a rate, or all.

Providers word this in many ways. Their words are untrusted; what they seem to say of a parameter is tried out before it
is believed, see `gpo.model.openai.trials`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

READ = 20_000
"""Of a longer body the rest is not looked at: an error needs no more."""
_LONGEST_WAIT = 3600.0

_CONTEXT = re.compile(
    r"context.{0,20}(length|size|window)|maximum context|too many (input |prompt )?tokens"
    r"|(prompt|input|request|message)s? (is|are|was) too (long|large)|exceed.{0,40}\bcontext\b|token count.{0,40}exceed"
    r"|exceeds? the (maximum|max|limit)"
    r".{0,40}token|(input|prompt).{0,30}(maximum|max) length|request too large.{0,120}per min|reduce the length"
    r"|range of input length|string too long",
    re.I,
)
_FILTER = re.compile(
    r"content.?(filter|management|polic|exists risk|violat)|safety (system|setting|polic|reason)|flagged|moderat"
    r"|inappropriate|inspection|usage polic|harmful|sensitive (word|content|info)|prohibited|guardrail|responsible.?ai"
    r"|jailbreak|invalid_prompt",
    re.I,
)
_ACCOUNT = re.compile(
    r"\b(account|organi[sz]ation|api.?key|credential|subscription|unauthori|authenticat|permission|your access)",
    re.I,
)
_KEY = re.compile(r"api.?key|credential|unauthori[sz]ed|authenticat|invalid token|access denied", re.I)
_NO_MODEL = re.compile(
    r"model[^.]{0,80}(not found|not exist|doesn't exist|unknown|decommission|retired|no longer available|not available)"
    r"|(unknown|invalid|no such|not a valid) model|model_not_found",
    re.I,
)
_SPENT = re.compile(
    r"insufficient[_ ](user[_ ])?(quota|balance|funds|credits?)|billing_(hard_limit|not_active)|account_deactivated"
    r"|\blimit['\"]?:\s?['\"]?0(?![.\d])|credit balance is too low|(out of|no|not enough|requires more) credits"
    r"|hard limit|arrears|payment required|exceeded_current_quota_error",
    re.I,
)
_MAYBE_SPENT = re.compile(r"exceeded your current quota|\bbilling\b|quota", re.I)
_RATE = re.compile(
    r"rate.?limit|per.?(second|minute|min\b)|\b[rt]pm\b|requests? a minute|too many (concurrent )?requests|throttl"
    r"|resource.?exhausted|ratelimitexceeded|slow down|try again (in|after)|concurrency limit",
    re.I,
)
_TOO_LARGE_FOR_A_MINUTE = re.compile(r"request too large.{0,200}per.?min", re.I | re.S)
_WAIT = re.compile(
    r"(?:(?:try|retry|again|come back|wait)[^.\d]{0,40}?(?:in|after|for)?|retry[-_ ]?(?:delay|after)['\"]?\s?[:=]?)"
    r"\s?['\"]?"
    r"(?P<amount>(?:\d{1,9}(?:\.\d{1,9})?\s?(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)(?![a-z])\s?)+"
    r"|\d{1,9}(?:\.\d{1,9})?)",
    re.I,
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s?([a-z]*)", re.I)
_LOADING = re.compile(
    r"loading|still (starting|initiali[sz]ing)|is (starting|warming) up|not (yet )?ready|warming up", re.I
)

_REFUSED = re.compile(
    r"unsupport|(not|n't|isn.t|cannot|can.t) (yet |currently |be )*(support|permit|allow|accept|recogni[sz]|implement"
    r"|used|set|specif|enabl|customi[sz]|chang)|unrecogni[sz]ed|unknown|unexpected|extra|additional propert"
    r"|deprecated|invalid|not a valid|only|must be|must equal|should be|may be|has to be|not compatible|incompatible"
    r"|removed|no longer|"
    r"not available|less than|greater than|out of range|at most|at least|forbidden|ignored|remove|omit|drop_params"
    r"|use ['\"`]?max_completion_tokens|cannot find field|not implemented|disallowed|exceeds",
    re.I,
)
_ONE_CHOICE = re.compile(
    r"(only|exactly|more than|at most) (one|1|a single) (completion |chat )?(choice|candidate|completion|response)"
    r"|(only|at most) one sequence|multiple (choices|completions|candidates)|number of (choices|candidates|completions)"
    r"|best_of|candidate_?count"
    r"|(?<![\w'])['\"`]?n['\"`]?\s*(>|=|:|must|should|greater|cannot|can't|is not)|\bn\s?>\s?1"
    r"|(parameter|argument|field|supplied|name)s?:? ['\"`]?n['\"`]?(?!\w)",
    re.I,
)
_NO_SYSTEM = re.compile(
    r"system.{0,3}(role|turn|message|prompt|instruction)|(role|author)s?['\"`]?.{0,40}system|developer instruction"
    r"|role.{0,60}(must|should|has to|only|alternate).{0,60}(user|assistant)|only.{0,20}user.{0,12}assistant"
    r"|(first|leading).{0,30}(message|turn).{0,30}user|role['\"`]?: ?['\"`]?system|system_instruction",
    re.I | re.S,
)
# English words too: they count where they stand as a parameter does.
_WORDS = frozenset({"n", "stop", "seed"})


def said(body: bytes) -> str:
    """All that a body says, as text: every word of its JSON, or the body itself."""
    data = _json(body)
    if data is None:
        return body[:READ].decode("utf-8", "replace")
    return "\n".join(_texts(data, 0))[:READ]


def refused_parameter(body: bytes, sent: Collection[str]) -> str | None:
    """The one of the parameters that were `sent` which a refusal seems to be about, None where it names none. "system"
    stands for a system turn."""
    data = _json(body)
    words = said(body)
    if _CONTEXT.search(words):
        return None
    named = [name for name in _places(data, 0) if name in sent]
    if named:
        return named[0]
    if "n" in sent and _ONE_CHOICE.search(words):
        return "n"
    if "system" in sent and _NO_SYSTEM.search(words):
        return "system"
    if not _REFUSED.search(words):
        return None
    found = [(place, name) for name in sent if (place := _place(words, name)) is not None]
    return min(found)[1] if found else None


def is_about_input(words: str) -> bool:
    """Whether a refusal is about what one call says: its length, or what a filter makes of it."""
    return _CONTEXT.search(words) is not None or (
        _FILTER.search(words) is not None and _ACCOUNT.search(words) is None
    )


def is_overflow(words: str) -> bool:
    """Whether a call is too long for the model."""
    return _CONTEXT.search(words) is not None


def is_about_all(words: str) -> bool:
    """Whether a refusal is about the key or the model, which no parameter changes."""
    return _KEY.search(words) is not None or _NO_MODEL.search(words) is not None


def is_rate(status: int, words: str, wait: float | None) -> bool:
    """Whether a refusal is a rate limit, which passes: whatever it says of quota, plan and billing, as long as it is
    counted a minute or says when to come again. What has been spent does not pass."""
    if status not in (400, 403, 429) or _SPENT.search(words) or _TOO_LARGE_FOR_A_MINUTE.search(words):
        return False
    rate = _RATE.search(words) is not None or wait is not None
    if status == 429:
        return rate or _MAYBE_SPENT.search(words) is None
    return _RATE.search(words) is not None


def is_spent(words: str) -> bool:
    """Whether it says that there is no money or quota left."""
    return _SPENT.search(words) is not None


def is_too_large_for_a_minute(words: str) -> bool:
    """Whether one call alone is more than a minute allows."""
    return _TOO_LARGE_FOR_A_MINUTE.search(words) is not None


def is_loading(words: str) -> bool:
    """Whether a server says that it is there and its model not yet."""
    return _LOADING.search(words) is not None


def wait_in(body: bytes) -> float | None:
    """Seconds that the words of a body ask to wait (at most an hour): "try again in 12.5s", "1m30s", "60ms",
    `retryDelay`; None where it says nothing of that."""
    found = _WAIT.search(body[:READ].decode("utf-8", "replace"))
    if found is None:
        return None
    units = {"": 1.0, "ms": 0.001, "mi": 60.0, "s": 1.0, "m": 60.0, "h": 3600.0}
    total = 0.0
    for amount, unit in _PART.findall(found["amount"]):
        word = unit.lower()
        short = "ms" if word.startswith(("ms", "milli")) else word[:1]
        total += float(amount) * units.get(short, 1.0)
    return min(total, _LONGEST_WAIT)


def _place(words: str, name: str) -> int | None:
    is_word = name in _WORDS or len(name) < 5
    name = re.escape(name)
    quoted = rf"['\"`]{name}['\"`]"
    kinds = "param(?:eter)?|argument|field|name|supplied|key|option|input|property|request"
    beside = rf"(?:{kinds})s?\W{{1,4}}(?:body\W{{1,6}})?{name}\b"
    before = rf"\b{name}\s?[=:(]|\b{name} (?:param|argument|field|option|must|is|not|cannot|does)"
    as_parameter = rf"{quoted}|{beside}|{before}|>\s?{name}\b"
    pattern = as_parameter if is_word else rf"(?<![\w.-]){name}(?![\w-])"
    found = re.search(pattern, words, re.I)
    return found.start() if found else None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body[:READ])
    except (ValueError, RecursionError):
        return None


def _texts(data: Any, depth: int) -> Iterator[str]:
    if depth > 8:
        return
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str | int | float):
                yield (
                    f"{key}: {value}"
                    if key in ("code", "type", "status", "param", "role", "retryDelay", "reason")
                    else str(value)
                )
            else:
                yield from _texts(value, depth + 1)
    elif isinstance(data, list):
        for value in data[:50]:
            yield from _texts(value, depth + 1)
    elif isinstance(data, str):
        yield data


def _places(data: Any, depth: int) -> Iterator[str]:
    """Names that an error body gives as the place of the fault: `param`, the end of a `loc`."""
    if depth > 8:
        return
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("param", "parameter", "field", "property") and isinstance(value, str):
                yield value.rpartition(".")[2].strip("/[]'\"` ")
            elif key in ("loc", "path") and isinstance(value, list):
                # Of a place inside of something else, such as a message, the outer name says what it is about.
                names = [item for item in value if isinstance(item, str) and item not in ("body", "request")]
                yield from names[:1]
            else:
                yield from _places(value, depth + 1)
    elif isinstance(data, list):
        for value in data[:50]:
            yield from _places(value, depth + 1)
