"""What is sent with the best prompt for a row, from the template that a result holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpo.errors import ConfigError, RunError
from gpo.task.files.cell import read_value
from gpo.task.splits import render_cell
from gpo.task.template import Template


def fill_messages(
    extra: Mapping[str, Any], row: Mapping[str, Any], reply: str | None = None
) -> list[dict[str, str]]:
    """The turns of `extra["template"]` for `row`; see `Result.messages`."""
    try:
        template = Template.from_dict(extra.get("template"))
    except ValueError:
        raise RunError("the result holds no template (it is of an older GPO); run it again") from None
    if missing := [name for name in template.inputs if name not in row]:
        raise ConfigError(
            f"row: lacks the column {missing[0]!a}; the prompt needs {', '.join(template.inputs)}"
        )
    if reply is not None and not template.second_turn:
        raise ConfigError("reply: the run had one round, so that nothing is asked after the first reply")
    lettered = (extra.get("reading") or {}).get("kind") == "choice"
    opening = template.fill(
        {name: render_cell(read_value(row[name]), lettered=lettered) for name in template.inputs}
    )
    if isinstance(opening, str):
        text = opening if reply is None else f"{opening}{reply.rstrip()}{template.second_turn}"
        return [{"role": "text", "content": text}]
    turns = [{"role": turn.role, "content": turn.content} for turn in opening]
    if reply is not None:
        turns += [{"role": "assistant", "content": reply}, {"role": "user", "content": template.second_turn}]
    return turns
