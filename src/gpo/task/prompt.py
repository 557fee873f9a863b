"""How a prompt meets an example: the five positions, placeholders, demonstrations, chat and plain text.

Knows texts only: no model, no answer reading. Prompts and rows are untrusted: values are inserted once and never scanned
again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gpo.config.schema import Position

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_ ]*)\}")


def placeholders(prompt: str) -> tuple[str, ...]:
    """Names in braces in `prompt`, each once, in the order of their first use."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(prompt)))


def fill(template: str, fields: Mapping[str, str]) -> str:
    """`template` with `{column}` replaced by the row's value; braces around anything else stay as they are."""
    return _PLACEHOLDER.sub(lambda match: fields.get(match[1], match[0]), template)


def question(prompt: str, input_: str, position: Position, *, answer_slot: bool = True) -> str:
    """The text of one question with `prompt` at its position; `system` leaves the prompt to the system turn.

    `answer_slot` ends the text with "A:", where the answer is expected.
    """
    if position == "system":
        return _close(f"Q: {input_}", "", answer_slot)
    if position == "before_question":
        return _close((f"{prompt}\n\n" if prompt else "") + f"Q: {input_}", "", answer_slot)
    if position == "question_begin":
        return _close(f"Q: {prompt}\n{input_}" if prompt else f"Q: {input_}", "", answer_slot)
    if position == "question_end":
        return _close(f"Q: {input_}\n{prompt}" if prompt else f"Q: {input_}", "", answer_slot)
    return _close(f"Q: {input_}", f" {prompt}" if prompt else "", True)


def _close(text: str, begun: str, answer_slot: bool) -> str:
    return f"{text}\nA:{begun}" if answer_slot else text
