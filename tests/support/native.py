"""The test server on Anthropic's and Gemini's wires: what they send is turned into the OpenAI body that it answers, and
its answer into their words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.server import ModelServer, request_key

THOUGHT = "It could go left, or right. So the answer is left? <START>No.<END> Wait."
_ANTHROPIC = {
    "model",
    "max_tokens",
    "messages",
    "system",
    "temperature",
    "top_p",
    "stop_sequences",
    "thinking",
}


@dataclass(kw_only=True)
class NativeServer(ModelServer):
    """`refusals` are (status, body, headers) that the first calls of each request meet. With `thinks` thoughts come
    before each text. `sent` holds the bodies as they came, `charged` counts what was answered, by request."""

    refusals: tuple[tuple[int, Any, dict[str, str]], ...] = ()
    thinks: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)
    seen_headers: list[dict[str, str]] = field(default_factory=list)
    charged: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._met: dict[str, int] = {}

    @property
    def address(self) -> str:
        """Without /v1: these wires have their version in the path of a call."""
        return self.base_url.removesuffix("/v1")

    def routes(self, application: web.Application) -> None:
        application.router.add_post("/v1/messages", self._messages)
        for version in ("v1", "v1beta"):  # the package's, whichever it is
            application.router.add_post(f"/{version}/models/{{call}}", self._generate)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await self._arrived(request)
        if unknown := sorted(body.keys() - _ANTHROPIC - {"metadata"}):
            return _refused(f"{unknown[0]}: Extra inputs are not permitted")
        if request.headers.get("x-api-key") != self.key:
            return web.json_response(_error("authentication_error", "invalid x-api-key"), status=401)
        if refusal := self._refusal(body):
            return refusal
        turns = [{"role": "system", "content": body["system"]}] if body.get("system") else []
        asked = {
            "messages": [*turns, *body["messages"]],
            "max_tokens": body["max_tokens"],
            "stop": body.get("stop_sequences"),
        }
        (choice,) = self._reply(asked, chat=True)["choices"]
        blocks = [{"type": "thinking", "thinking": THOUGHT, "signature": "x"}] if self.thinks else []
        blocks.append({"type": "text", "text": choice["message"]["content"]})
        return web.json_response({
            "id": "msg", "type": "message", "role": "assistant", "model": body["model"], "content": blocks,
            "stop_reason": "end_turn" if choice["finish_reason"] == "stop" else "max_tokens", "stop_sequence": None,
            "usage": {"input_tokens": 40, "output_tokens": 5, "cache_read_input_tokens": 2},
        })  # fmt: skip

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body = await self._arrived(request)
        if request.headers.get("x-goog-api-key") != self.key:
            words = {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}
            return web.json_response({"error": words}, status=400)
        if refusal := self._refusal(body):
            return refusal
        config = body.get("generationConfig", {})
        roles = {"model": "assistant", "user": "user"}
        turns = [
            {"role": roles[turn["role"]], "content": turn["parts"][0]["text"]} for turn in body["contents"]
        ]
        if system := body.get("systemInstruction"):
            turns.insert(0, {"role": "system", "content": system["parts"][0]["text"]})
        asked = {"messages": turns, "seed": config.get("seed"), "max_tokens": config["maxOutputTokens"]}
        (choice,) = self._reply({key: value for key, value in asked.items() if value is not None}, chat=True)[
            "choices"
        ]
        parts: list[dict[str, Any]] = [{"text": THOUGHT, "thought": True}] if self.thinks else []
        parts.append({"text": choice["message"]["content"]})
        reason = "STOP" if choice["finish_reason"] == "stop" else "MAX_TOKENS"
        candidate = {"index": 0, "finishReason": reason, "content": {"role": "model", "parts": parts}}
        usage = {
            "promptTokenCount": 40,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "totalTokenCount": 52,
        }
        return web.json_response({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"})

    async def _arrived(self, request: web.Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.sent.append(body)
        self.seen_headers.append(dict(request.headers))
        return body

    def _refusal(self, body: dict[str, Any]) -> web.Response | None:
        """What this arrival meets; one that meets nothing is charged."""
        key = request_key("", body)
        met = self._met.get(key, 0)
        self._met[key] = met + 1
        if met < len(self.refusals):
            status, told, headers = self.refusals[met]
            return web.Response(
                status=status, text=json.dumps(told), headers=headers, content_type="application/json"
            )
        self.charged[key] = self.charged.get(key, 0) + 1
        return None


def _error(kind: str, words: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": words}}


def _refused(words: str) -> web.Response:
    return web.json_response(_error("invalid_request_error", words), status=400)


OVERLOADED = (529, _error("overloaded_error", "Overloaded"), dict[str, str]())
LIMITED = (429, _error("rate_limit_error", "too many requests a minute"), {"Retry-After": "0.01"})
