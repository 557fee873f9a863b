"""What an endpoint is, found out by a dozen small calls: which parameters it takes, whether and where it thinks.

Sends bodies of its own over a client's connection; it judges nothing that a run would not.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from gpo.errors import ModelError
from gpo.model.model import Message, Request
from gpo.model.openai.client import OpenAIClient
from gpo.model.openai.errors import clean
from gpo.model.openai.format import decode
from gpo.model.openai.trials import Response
from gpo.model.reasoning import without_reasoning

_QUESTION = "What is 17 times 23? Answer with the number."
_ENOUGH = 512
"""Tokens of a reply: enough for most models to think and answer."""
_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"number": {"type": "integer"}},
            "required": ["number"],
            "additionalProperties": False,
        },
    },
}
_TRIALS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": 0},
    "n": {"n": 2},
    "seed": {"seed": 7},
    "system": {},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "structured": {"response_format": _SCHEMA},
}


_REPEATED: dict[str, tuple[str, dict[str, Any]]] = {
    "seed": ("seed", {"seed": 7, "temperature": 1}),
    "at 0": ("temperature", {"temperature": 0}),
}
"""What is asked twice: the trial that has to have gone well, and the fields."""
_OPEN = "Write one sentence about any animal, any place and any three-digit number that come to your mind."
"""A question with so many answers that two of a kind are no chance."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """`takes` says of each parameter whether it is taken: True, False, or None where it could not be told. `thinks` is
    "" or where the thoughts stand: in a "field", in the "content", or
    "hidden". `repeats` says whether two equal calls were answered alike: with a "seed" at temperature 1, and at
    temperature 0 ("at 0"); None where they could not be compared. `error` is why nothing else is known, or ""."""

    reachable: bool = False
    key_accepted: bool | None = None
    takes: dict[str, bool | None] = field(default_factory=dict)
    repeats: dict[str, bool | None] = field(default_factory=dict)
    length_parameter: str = "max_tokens"
    thinks: str = ""
    finish_reason: str = ""
    tokens_per_second: float | None = None
    calls: int = 0
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


async def check_endpoint(
    client: OpenAIClient, model: str, *, extra: dict[str, Any] | None = None
) -> Findings:
    """Ask `model` at the endpoint of `client` some dozen small calls. Raises nothing for what an endpoint does."""
    found = Findings()
    check = _Check(client, {"model": model, **(extra or {})}, found)
    try:
        if await check.first():
            for name, fields in _TRIALS.items():
                found.takes[name] = await check.takes(name, fields)
            for name, (needs, fields) in _REPEATED.items():
                found.repeats[name] = await check.repeats(fields) if found.takes[needs] else None
    except ModelError as error:
        found.error = found.error or str(error)
    return found


class _Check:
    def __init__(self, client: OpenAIClient, base: dict[str, Any], found: Findings) -> None:
        self._client, self._base, self._found = client, base, found

    async def first(self) -> bool:
        """The plainest call of all, as a run would make it: the rest makes sense only where it is answered."""
        request = Request(messages=(Message("user", _QUESTION),), max_tokens=_ENOUGH)
        started = time.perf_counter()
        try:
            reply = await self._client.complete(request)
        except ModelError as error:
            status = getattr(error, "status", None)
            self._found.calls += 1
            self._found.reachable = status is not None
            self._found.key_accepted = False if status in (401, 403) else None
            self._found.error = str(error)
            return False
        seconds = time.perf_counter() - started
        self._found.calls += 1 + len(self._client.lacking)
        self._found.reachable = self._found.key_accepted = True
        self._found.length_parameter = (
            "max_completion_tokens" if "max_tokens" in self._client.lacking else "max_tokens"
        )
        read = without_reasoning(reply)
        self._found.thinks = "field" if any(reply.reasoning) else "content" if any(read.reasoning) else ""
        self._found.thinks = self._found.thinks or ("hidden" if reply.usage.reasoning_tokens else "")
        self._found.finish_reason = read.finish_reasons[0]
        if reply.usage.completion_tokens and seconds > 0:
            self._found.tokens_per_second = round(reply.usage.completion_tokens / seconds, 1)
        return True

    async def takes(self, name: str, fields: dict[str, Any]) -> bool | None:
        """Whether a call with `fields` is answered, and answered as they ask."""
        turns = [{"role": "user", "content": "Reply with the word OK."}]
        if name == "system":
            turns.insert(0, {"role": "system", "content": "Be short."})
        if name == "structured":
            turns[0]["content"] = f"{_QUESTION} Reply as JSON."
        length = {self._found.length_parameter: _ENOUGH if name == "structured" else 64}
        body = {**self._base, "messages": turns, **length, **fields}
        response = await self._client.send(json.dumps(body).encode())
        self._found.calls += 1
        if response.status != 200:
            return False if 400 <= response.status < 500 and response.status not in (408, 429) else None
        return self._check_kept(name, response)

    async def repeats(self, fields: dict[str, Any]) -> bool | None:
        """Whether two equal calls with `fields` are answered by equal texts."""
        length = {self._found.length_parameter: 64}
        body = {**self._base, "messages": [{"role": "user", "content": _OPEN}], **length, **fields}
        texts = []
        for _ in range(2):
            response = await self._client.send(json.dumps(body).encode())
            self._found.calls += 1
            if response.status != 200:
                return None
            try:
                texts.append(decode(response.body, Request(messages=(Message("user", ""),)), "", ()))
            except (ValueError, RecursionError, ModelError):
                return None
        said = [(reply.text, reply.reasoning) for reply in texts]
        return None if not (texts[0].text or any(texts[0].reasoning)) else said[0] == said[1]

    def _check_kept(self, name: str, response: Response) -> bool | None:
        try:
            reply = decode(response.body, Request(messages=(Message("user", ""),), n=2), "", ())
            data = json.loads(response.body)
        except (ValueError, RecursionError, ModelError):
            return None
        if name == "n":
            return len(reply.texts) == 2
        if name == "logprobs":
            return bool(data["choices"][0].get("logprobs"))
        if name == "structured":
            try:
                return isinstance(json.loads(without_reasoning(reply).text), dict)
            except ValueError:
                return None if reply.cut[0] else False
        return True


def lines(found: Findings, price_known: bool) -> list[str]:
    """What was found, for a person."""
    if not found.reachable:
        return [f"reachable          no: {clean(found.error)}"]
    if found.error:
        what = "answers" if found.key_accepted is None else "key accepted"
        return ["reachable          yes", f"{what:<18} no: {clean(found.error)}"]
    words = {True: "yes", False: "no", None: "not told"}
    names = {"temperature": "temperature 0", "system": "system turn", "structured": "structured reply"}
    thinks = {
        "": "no",
        "field": "yes, in a field of its own",
        "content": "yes, in the content",
        "hidden": "yes, unseen",
    }
    speed = "not told" if found.tokens_per_second is None else f"{found.tokens_per_second:g}"
    return [
        "reachable          yes",
        "key accepted       yes",
        f"length             {found.length_parameter}",
        *(f"{names.get(name, name):<18} {words[taken]}" for name, taken in found.takes.items()),
        *(f"{f'repeats, {name}':<18} {words[same]}" for name, same in found.repeats.items()),
        f"thinks             {thinks[found.thinks]}",
        f"tokens a second    {speed}",
        f"price known        {words[price_known]}",
        f"calls              {found.calls}",
    ]


def advice(found: Findings, model: dict[str, Any], price_known: bool) -> list[str]:
    """The lines for `gpo.yaml` that follow from what was found, for `model`'s keys."""
    made = ["models:", "  task:", *(f"    {key}: {json.dumps(value)}" for key, value in model.items())]
    if found.thinks:
        made.append("    max_tokens: 4096  # it thinks before it answers, and its thoughts count")
    if not price_known:
        made.append("    # price: {input: …, output: …}  # dollars for a million tokens, for budget.max_usd")
    if found.takes.get("temperature") is False:
        made.append("    # temperature is not taken: replies are sampled, and shared with no other run")
    if found.repeats.get("at 0") is False:
        made.append("    # at temperature 0 it does not repeat itself: what is scored twice may differ")
    if found.takes.get("system") is False:
        made.append("# task.position: question_end  # it takes no system turn")
    return made
