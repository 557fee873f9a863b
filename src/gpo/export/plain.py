"""The template for people and for programs of one's own: as a text, as JSON, as the list of messages."""

from __future__ import annotations

import json
from typing import Any

from gpo.errors import ConfigError
from gpo.export.material import Material
from gpo.export.names import free_name
from gpo.task.prompt import find_placeholders


def as_text(material: Material) -> str:
    """The turns with their roles, where there are several; placeholders in braces."""
    template = material.template
    if not material.is_chat:
        return "".join(turn.content for turn in template.turns)
    turns = [(turn.role, turn.content) for turn in template.turns]
    if template.second_turn:
        turns += [("assistant", "(the first reply)"), ("user", template.second_turn)]
    if len(turns) == 1:
        return turns[0][1]
    return "\n\n".join(f"{role}:\n{content}" for role, content in turns)


def as_json(material: Material) -> str:
    """The template as `best_template.json` has it, with how the model is called and what it scored."""
    model = material.model
    data = {
        **material.template.to_dict(),
        "stop": list(material.stop),
        "model": {
            "model": model.model,
            "base_url": model.base_url,
            "temperature": model.temperature,
            "max_tokens": model.max_tokens,
            "second_round_tokens": material.second_round_tokens,
        },
        "reading": material.reading.to_dict(),
        "scores": material.result.to_dict()["scores"]["best"],
    }
    return dumps(data)


def as_messages(material: Material) -> str:
    """The `messages` of a chat completion as a JSON list, placeholders in braces; with a second turn the first reply
    has a placeholder too. Raises `ConfigError` where that could not be told from the prompt's own text."""
    template = material.template
    if not material.is_chat:
        raise ConfigError("--to messages: the run's model is a base model, which takes a text; use --to text")
    for turn in template.turns:
        if turn.fixed and (mixed := set(find_placeholders(turn.content)) & set(template.inputs)):
            raise ConfigError(
                f"--to messages: a worked example holds {{{sorted(mixed)[0]}}} itself, which would be taken for the "
                "placeholder; use --to json, which marks worked examples"
            )
    messages: list[dict[str, str]] = [{"role": turn.role, "content": turn.content} for turn in template.turns]
    if template.second_turn:
        texts = [*(turn.content for turn in template.turns), template.second_turn]
        reply = free_name("reply", texts, template.inputs)
        messages += [
            {"role": "assistant", "content": f"{{{reply}}}"},
            {"role": "user", "content": template.second_turn},
        ]
    return dumps(messages)


def dumps(data: Any) -> str:
    """Readable JSON that can be written as UTF-8."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates: JSON can hold them only as escapes
        text = json.dumps(data, ensure_ascii=True, indent=2)
    return text
