"""MLflow's prompt templates as GPO's prompts and back: `{{name}}` is `{name}` here, and of a chat each text is a
prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gpo.errors import ConfigError

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class MlflowTemplates:
    """`templates` by name, a chat as JSON as MLflow hands it on. `parts` are the prompts that GPO improves."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._chats: dict[str, list[dict[str, Any]]] = {}
        self._names = list(templates)
        found: dict[str, str] = {}
        for name, text in templates.items():
            chat = _chat(text)
            if chat is None:
                found[name] = text
            else:
                self._chats[name] = chat
                found |= {f"{name}[{place}]": turn["content"] for place, turn in enumerate(chat)}
        self._variables = {name: set(_VARIABLE.findall(text)) for name, text in found.items()}
        self.parts = {name: _VARIABLE.sub(r"{\1}", text) for name, text in found.items()}

    def restore(self, parts: Mapping[str, str]) -> dict[str, str]:
        """MlflowTemplates as MLflow has them, from prompts like `parts`."""
        texts = {name: self._with_variables(name, text) for name, text in parts.items()}
        restored = {}
        for name in self._names:
            if name in self._chats:
                turns = [
                    {**turn, "content": texts[f"{name}[{place}]"]}
                    for place, turn in enumerate(self._chats[name])
                ]
                restored[name] = json.dumps(turns, ensure_ascii=False)
            else:
                restored[name] = texts[name]
        return restored

    def _with_variables(self, name: str, text: str) -> str:
        known = self._variables[name]
        if not known:
            return text
        names = "|".join(re.escape(one) for one in sorted(known, key=len, reverse=True))
        written = rf"\{{\{{\s*({names})\s*\}}\}}|\{{\s*({names})\s*\}}"
        return re.sub(written, lambda found: f"{{{{{found[1] or found[2]}}}}}", text)


def _chat(text: str) -> list[dict[str, Any]] | None:
    """The messages that `text` is in JSON, None for a text. Raises `ConfigError` for a chat with more than texts."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if (
        not isinstance(found, list)
        or not found
        or not all(isinstance(turn, dict) and "role" in turn for turn in found)
    ):
        return None
    if not all(isinstance(turn.get("content"), str) for turn in found):
        raise ConfigError("a chat prompt of MLflow's with more than texts in it cannot be optimized")
    return found
