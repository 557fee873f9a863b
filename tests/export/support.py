"""Prompts that tools would read otherwise than they stand, and what is exported of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gpo.config.models import ModelConfig
from gpo.export.material import Material
from gpo.result.result import Result
from gpo.task.reading import describe_reading
from gpo.task.task import Task
from gpo.task.template import make_template

HOSTILE = [
    "Answer with {left} or {right}.",
    'Reply as {"label": "…", "why": {"a": [1, 2]}}',
    "{{ input }} {{input}} {{{input}}} }} {{",
    "{% raw %} {% endraw %} {# comment #} {%- if x -%} {{- y }} {{ '{' }}",
    "${HOME} $(id) `id` %s %(x)s %% \\n \\ \\\\ \\u0041 {0} {} {!r} {x.__class__} {input!r} {input:>9}",
    '\'single\' "double" \'\'\'three\'\'\' """three""" \\"""',
    "- a: b\n  c: |\n    d\n# not a comment\n---\n...\n!!python/object:x &a *a <<: @ ? > %TAG",
    "line one\n\n  indented\n\ttab\nlast  two spaces  \nend",
    "Größe naïve 東京 שלום 👩‍👩‍👧 \u202eright to left\u202c zero\u200bwidth",
    "file://etc/passwd",
    "</s><|im_end|> <START> [INST] #{x} <%= y %> {{!-- z --}} {{> partial}} {{#each}}",
    "yes",
    "{question}{question} then {input} and {{question}} {unit price}",
    "ends with a brace {",
    "{",
]
COLUMNS: dict[str, str] = {
    "question": "2 + {unit price} {{ 7*7 }} {question}?",
    "unit price": "say \"{input}\" \\ {% x %}\nand 'more'",
    "class": "größe ${x}",
}


def rows(count: int = 3) -> list[dict[str, Any]]:
    return [
        {**COLUMNS, "question": f"{number} {COLUMNS['question']}", "y": "left"} for number in range(count)
    ]


def task(**options: Any) -> Task:
    given = rows(4)
    parts = {"train": given[:1], "dev": given[1:2], "test": given[2:3], "demos": given[3:]}
    defaults = {
        "input": "{question}",
        "target": "y",
        "answer": {"kind": "label", "labels": ["left", "right"]},
    }
    return Task.from_rows(parts, **{**defaults, **options})


def material(prompt: str, **options: Any) -> Material:
    """The best prompt of a run with the options of `Task.from_rows`."""
    made = task(**options)
    return Material(
        name='a "run"\n{{ x }} """',
        template=make_template(made, prompt),
        result=Result(status="complete", initial_prompt="", best_prompt=prompt),
        model=ModelConfig(model="openai/test"),
        reading=replace(describe_reading(made)),
        second_round_tokens=made.second_round_tokens,
        target="y",
    )
