"""What a server sends: every body, status and header is a reply or an error of GPO's, without the key in it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from gpo.errors import GPOError, ModelError
from gpo.model.model import Message, Reply, Request
from gpo.model.openai.errors import retry_after
from gpo.storage import codec
from tests.fuzz.targets.canned import KEY, CannedClient, WiredClient
from tests.fuzz.targets.target import Input, Target, own, text

STATUSES = (200, 200, 200, 400, 401, 404, 408, 413, 429, 500, 503, 301)
_REQUEST = Request(messages=(Message("user", "hi"),), stop=("\n", "x"))


def run(data: bytes) -> None:
    """The first bytes choose the status and what was asked for, a line is the header, the rest is the body."""
    read = Input(data)
    status, n = STATUSES[read.below(len(STATUSES))], 1 + read.below(3)
    header, _, body = read.rest().partition(b"\n")
    wait = retry_after({"Retry-After": text(header)})
    if wait is not None and not 0 <= wait <= 3600:
        raise AssertionError(f"a wait of {wait} s")
    judge(CannedClient(status, {"Retry-After": text(header)}, body), n)


def judge(model: WiredClient, n: int = 1) -> Reply | None:
    """Ask `model` for `n` completions: it is a reply, or an error of GPO's without the key in it."""
    try:
        reply = asyncio.run(_asked(model, replace(_REQUEST, n=n)))
    except ModelError as error:
        own(error)
        line = str(error)
        if KEY in line or not line.isprintable():
            raise AssertionError(f"an error with the key or a control character: {line!r}") from None
    except GPOError as error:
        own(error)
    else:
        _check(reply, n)
        return reply
    return None


async def _asked(model: WiredClient, request: Request) -> Reply:
    try:
        return await model.complete(request)
    finally:
        await model.aclose()


def _check(reply: Reply, n: int) -> None:
    if not 1 <= len(reply.texts) <= n or len(reply.finish_reasons) != len(reply.texts):
        raise AssertionError("the number of completions")
    usage = reply.usage
    if min(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) < 0:
        raise AssertionError("a negative count")
    for number in (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens):
        codec.count(number)
    read = codec.unpack_reply(codec.pack_reply(reply))
    if (read.texts, read.finish_reasons) != (reply.texts, reply.finish_reasons):
        raise AssertionError("the journal gives back another reply")


def seeds() -> list[bytes]:
    """Replies and errors as providers write them."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2}}
    good = [
        {"choices": [choice], "usage": usage},
        {"choices": [choice, {**choice, "index": 1, "finish_reason": "content_filter"}], "usage": {}},
        {"choices": [{"text": "x\n", "finish_reason": "length"}]},
        {"choices": [{"message": {"content": None, "refusal": "no"}}]},
        {"choices": [{"message": {"content": [{"type": "text", "text": "a"}, "b", None]}}]},
        {"choices": []},
        {"choices": [None]},
        {"error": {"code": 429, "message": "slow down"}},
    ]
    bad = [
        {"error": {"message": f"bad key {KEY}", "param": "max_tokens"}},
        {"error": {"message": "'temperature' is not supported", "param": "temperature"}},
        {"error": "the maximum context length is 4"},
        [{"error": {"message": "only one choice", "param": "n"}}],
        {"detail": [{"loc": ["body"], "msg": "content filter"}]},
    ]
    found = [bytes([0, n]) + b"\n" + json.dumps(body).encode() for body in good for n in (0, 2)]
    found += [bytes([3 + n, 0]) + b"\n" + json.dumps(body).encode() for n, body in enumerate(bad)]
    found += [bytes([8, 0]) + header + b"\n" for header in (b"3", b"1e9", b"Fri, 31 Dec 1999 23:59:59 GMT")]
    return [*found, b"\x09\x00\n<html><b>Bad Gateway</b>", b"\x00\x00\n\x1f\x8b\x00"]


TARGET = Target(
    "reply",
    run,
    seeds,
    tokens=[
        *('"choices":', '"message":', '"content":', '"text":', '"finish_reason":', '"index":', '"usage":'),
        *(
            '"prompt_tokens":',
            '"completion_tokens":',
            '"prompt_tokens_details":',
            '"cached_tokens":',
            '"error":',
        ),
        *(
            '"code":',
            '"param":',
            '"detail":',
            '"refusal":',
            "content_filter",
            "null",
            "NaN",
            "Infinity",
            "1e999",
        ),
        *("\\ud800", "\\u0000", "\\u202e", "[[", "Bearer ", "sk-", KEY, "Fri, 31 Dec 9999 23:59:59 -9999"),
    ],
)
