"""The way out that a refusal's line names: a position of the prompt, a field to take out, another address.

A server's words are untrusted text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from gpo.model.model import Request
from gpo.model.openai.refusals import refused_parameter, said
from gpo.model.openai.trials import Response


def names_one_of(fields: Collection[str], body: bytes) -> str | None:
    """The one of a user's own `fields` of the body that a refusal names."""
    found = refused_parameter(body, fields)
    if found is None:
        words = said(body)
        found = next((name for name in fields if len(name) > 6 and name in words), None)
    return found


def hint_for(request: Request, response: Response, field: str | None) -> str:
    """What to do about a refusal of `request`; `field` is the user's own that it names. "" where nothing is known."""
    if field in ("top_p", "reasoning_effort"):
        return f"take {field} out of models.*, or give it a value that the endpoint takes"
    if field is not None:
        return (
            f"{field} stands in models.*.extra_body: take it out, or give it a value that the endpoint takes"
        )
    has_system = any(message.role == "system" for message in request.messages)
    if response.status in (400, 422, 500) and has_system and refused_parameter(response.body, {"system"}):
        return "the model takes no system turn: set task.position to question_begin"
    return ""


def is_without_version(base: str) -> bool:
    """Whether an address has no part such as /v1 or /openai in it, which nearly all servers want."""
    path = base.partition("://")[2].partition("/")[2]
    return re.search(r"(^|/)(v\d|openai|api)", path) is None
