"""The landscape's server with the habits of other endpoints, each of which leaves the answers as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.landscape import Landscape
from tests.support.server import ModelServer, all_text, request_key

THOUGHT = "It could go left, or right. So the answer is left? <START>No.<END> Wait."

THINKING: dict[str, Callable[[dict[str, Any], str], None]] = {
    "think": lambda message, text: message.update(content=f"<think>\n{THOUGHT}\n</think>\n\n{text}"),
    "closing": lambda message, text: message.update(content=f"{THOUGHT}\n</think>\n\n{text}"),
    "brackets": lambda message, text: message.update(content=f"[THINK]{THOUGHT}[/THINK]{text}"),
    "harmony": lambda message, text: message.update(
        content=f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{text}"
    ),
    "field": lambda message, text: message.update(reasoning_content=THOUGHT),
    "parts": lambda message, text: message.update(
        content=[
            {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
            {"type": "text", "text": text},
        ]
    ),
}
WORDS: dict[str, Callable[[str], tuple[int, Any]]] = {
    "place": lambda name: (
        422,
        {"detail": [{"loc": ["body", name], "msg": "Extra inputs are not permitted"}]},
    ),
    "unknown": lambda name: (400, [{"error": {"message": f'Invalid payload. Unknown name "{name}".'}}]),
    "supplied": lambda name: (400, {"error": {"message": f"Unrecognized request argument supplied: {name}"}}),
    "silent": lambda name: (400, {"error": {"message": "Bad request."}}),
}
SYSTEM = (400, {"message": "System role not supported"})
MINUTE = {
    "error": {
        "message": "You exceeded your current quota, check your plan and billing. Limit: requests per minute. "
        "Please retry in 0.01s.",
        "details": [{"retryDelay": "0.01s"}],
    }
}


@dataclass(kw_only=True)
class HabitServer(ModelServer):
    """`lacks` names parameters ("system": a system turn) that are refused in `words`; `thinks` is one of `THINKING`,
    `finish` what a completed text's finish reason is called, `flagged` a text whose calls are refused; with `minute`
    every new request meets the limit of a minute once. `charged` counts what was answered, by request."""

    lacks: frozenset[str] = frozenset()
    words: str = "place"
    thinks: str = ""
    finish: str = "stop"
    flagged: str = ""
    minute: bool = False
    charged: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._refused: set[str] = set()

    async def _handle(self, request: web.Request, body: dict[str, Any]) -> tuple[str, web.Response]:
        for name in sorted(self.lacks):
            if name == "system" and any(turn["role"] == "system" for turn in body.get("messages", ())):
                return "refused", _json(*SYSTEM)
            if name in body:
                return "refused", _json(*WORDS[self.words](name))
        if self.flagged and self.flagged in all_text(body):
            return "flagged", _json(400, {"error": {"message": "Content Exists Risk"}})
        key = request_key(request.path, body)
        if self.minute and key not in self._refused:
            self._refused.add(key)
            return "minute", _json(429, MINUTE)
        outcome, response = await super()._handle(request, body)
        if outcome == "ok":
            self.charged[key] = self.charged.get(key, 0) + 1
            response = self._habits(response)
        return outcome, response

    def _habits(self, response: web.Response) -> web.Response:
        assert isinstance(response.body, bytes)
        data = json.loads(response.body)
        for choice in data["choices"]:
            choice["finish_reason"] = self.finish if choice["finish_reason"] == "stop" else "max_tokens"
            if self.thinks:
                THINKING[self.thinks](choice["message"], choice["message"]["content"])
        return web.json_response(data)

    @staticmethod
    def _texts(reply: dict[str, Any]) -> list[str]:
        contents = [choice["message"]["content"] for choice in reply["choices"]]
        return [text if isinstance(text, str) else text[-1]["text"] for text in contents]


def seedless(body: dict[str, Any]) -> list[str]:
    """The landscape's answers where no seed counts: the i-th of several completions is always the same."""
    return [Landscape().answer({**body, "seed": 5 + i}) for i in range(int(body.get("n") or 1))]


def _json(status: int, data: Any) -> web.Response:
    return web.json_response(data, status=status)
