"""What the harness makes of a row: question, choices and target, by columns or by templates in a sandbox."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gpo.errors import ConfigError, DataError
from gpo.integrations.lm_eval.yaml_file import Code

USED = ("doc_to_text", "doc_to_target", "doc_to_choice", "process_docs")


def check_code(keys: Mapping[str, Any], source: str) -> None:
    """Raise `ConfigError` where a key that makes rows is code."""
    for key in USED:
        value = keys.get(key)
        if isinstance(value, Code) or (key == "process_docs" and value is not None):
            name = value.name if isinstance(value, Code) else str(value)
            raise ConfigError(
                f"{source}: {key} is code (!function {name}), which GPO does not run; write the rows out as a file, "
                "and use gpo init on that"
            )


class Renderer:
    """Renders rows by the task's `keys`."""

    def __init__(self, keys: Mapping[str, Any], source: str) -> None:
        self._keys, self._source = keys, source
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, keep_trailing_newline=True
        )
        self._environment.filters["regex_replace"] = _regex_replace

    def text(self, row: Mapping[str, Any], place: str) -> str:
        """The question."""
        said = self._keys.get("doc_to_text")
        if not isinstance(said, str):
            raise ConfigError(f"{self._source}: doc_to_text must be a column or a template")
        found = str(row[said]) if said in row else self._render(said, row, place, "doc_to_text")
        if found.isdigit() and self._keys.get("doc_to_choice") is not None:
            raise ConfigError(
                f"{self._source}: doc_to_text chooses between questions (as winogrande does), which GPO does not do"
            )
        return found

    def choices(self, row: Mapping[str, Any], place: str) -> list[str] | None:
        """The choices; None where the task has none."""
        said: Any = self._keys.get("doc_to_choice")
        if said is None:
            return None
        if isinstance(said, str):
            said = (
                row[said]
                if said in row
                else self._literal(self._render(said, row, place, "doc_to_choice"), place)
            )
        if isinstance(said, Mapping):
            said = list(said.values())
        if not isinstance(said, list | tuple) or not said:
            raise DataError(f"{place}: doc_to_choice gives no list")
        return [str(choice) for choice in said]

    def target(self, row: Mapping[str, Any], place: str, choices: list[str] | None) -> str | list[str]:
        """The expected answer: of choices one of them, or those that are right."""
        said: Any = self._keys.get("doc_to_target")
        if isinstance(said, str):
            if said in row:
                said = row[said]
            else:
                said = self._render(said, row, place, "doc_to_target")
                if (said.isdigit() and choices is not None) or (said.startswith("[") and said.endswith("]")):
                    said = self._literal(said, place, said)
        if said is None:
            raise ConfigError(f"{self._source}: doc_to_target is missing")
        several = [
            _choice(one, choices, place) for one in (said if isinstance(said, list | tuple) else [said])
        ]
        return several if len(several) != 1 else several[0]

    def _render(self, template: str, row: Mapping[str, Any], place: str, key: str) -> str:
        try:
            return self._environment.from_string(template).render(**row)
        except (
            TemplateError,
            re.error,
            TypeError,
            ValueError,
            ArithmeticError,
            LookupError,
            AttributeError,
        ) as error:
            said = " ".join(str(error).split())[:200]
            raise DataError(f"{place}: {key} of {self._source} cannot be rendered ({said})") from None

    def _literal(self, text: str, place: str, otherwise: Any = None) -> Any:
        try:
            return ast.literal_eval(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            if otherwise is None:
                raise DataError(f"{place}: doc_to_choice of {self._source} gives no list") from None
            return otherwise


def _choice(value: Any, choices: list[str] | None, place: str) -> str:
    if choices is None:
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < len(choices):
            raise DataError(f"{place}: the target {value} is none of {len(choices)} choices")
        return choices[value]
    if str(value) not in choices:
        raise DataError(f"{place}: the target {str(value)[:60]!a} is none of the choices")
    return str(value)


def _regex_replace(string: str, pattern: str, repl: str, count: int = 0) -> str:
    return re.sub(pattern, repl, string, count=count)
