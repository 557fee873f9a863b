"""A `promptfooconfig.yaml`. promptfoo reads a prompt that is JSON first and renders nunjucks in each of its strings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from gpo.errors import ConfigError
from gpo.export.material import Material
from gpo.export.names import comment, variables
from gpo.export.plain import dumps
from gpo.task.template import Template, TemplatePiece

# A brace that, with what follows, opens a tag; at the end of a piece an input's own braces may follow.
_OPENS = re.compile(r"\{(?=[{%#]|\Z)")


def as_promptfoo(material: Material) -> str:
    """Prompt, provider and a test to be filled in. Raises `ConfigError` for a base model and for a second turn."""
    template = material.template
    if not material.is_chat:
        raise ConfigError(
            "--to promptfoo: the run's model is a base model, and promptfoo renders a prompt that is no chat twice; "
            "use --to text or --to langchain"
        )
    if template.second_turn:
        raise ConfigError(
            "--to promptfoo: a second turn asks for the answer (answer.rounds: 2), which one promptfoo test cannot do; "
            "use --to inspect, dspy or langchain"
        )
    names = variables(template.inputs)
    config: dict[str, Any] = {
        "description": f"{_plain(comment(material.name))}: the best prompt by GPO",
        "prompts": [{"label": "best", "raw": dumps(nunjucks_messages(template, names))}],
        "providers": [_provider(material)],
        "tests": [
            {
                "vars": {name: f"a row's {_plain(comment(column))}" for column, name in names.items()},
                "assert": [{"type": "equals", "value": "the expected answer"}],
            }
        ],
    }
    head = [
        f"The best prompt of {comment(material.name)} ({material.score_line}).",
        "Fill in tests, or write `tests: file://rows.csv` with a column for each variable and one named __expected.",
        "`equals` compares the whole reply; GPO looks for the answer in it.",
        *(
            [f"Name your model in providers: the run's was {comment(material.model.model)}."]
            if material.model.model.startswith(("python/", "local/"))
            or material.model.model.endswith(".gguf")
            else []
        ),
        *(f"{name}: column {comment(column)}" for column, name in names.items() if name != column),
    ]
    text = yaml.dump(config, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return "".join(f"# {line}\n" for line in head) + text


def nunjucks_messages(template: Template, names: dict[str, str]) -> list[dict[str, str]]:
    """The turns with `{{ name }}` for inputs, everything else escaped so that nunjucks and Jinja leave it as it is."""
    return [{"role": turn.role, "content": nunjucks(template.pieces(turn), names)} for turn in template.turns]


def nunjucks(pieces: Iterable[TemplatePiece], names: dict[str, str]) -> str:
    """Pieces as one nunjucks template."""
    return "".join(
        f"{{{{ {names[piece.text]} }}}}" if piece.is_input else _OPENS.sub("{{ '{' }}", piece.text)
        for piece in pieces
    )


def _provider(material: Material) -> dict[str, Any]:
    model = material.model
    config: dict[str, Any] = {"temperature": model.temperature, "max_tokens": model.max_tokens}
    if model.base_url:
        config["apiBaseUrl"] = _plain(model.base_url)
    if model.api_key_env:
        config["apiKeyEnvar"] = _plain(model.api_key_env)
    elif model.base_url:
        config["apiKeyRequired"] = False
    return {"id": f"openai:chat:{_plain(model.model.removeprefix('openai/'))}", "config": config}


def _plain(text: str) -> str:
    """`text` so that nunjucks leaves it as it is: promptfoo renders a provider too, with the environment at hand."""
    return _OPENS.sub("{{ '{' }}", text)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they stand."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
