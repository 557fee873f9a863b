"""Every format by its own tool's rules: what is rendered is what was measured, whatever stands in prompt and rows."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpo.errors import ConfigError
from gpo.export.formats import FORMATS, export
from gpo.export.material import Material
from gpo.export.names import variables
from gpo.model.model import Message
from gpo.task.template import Template

from .support import COLUMNS, HOSTILE, material, task

NUNJUCKS = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
SHAPES: list[dict[str, Any]] = [
    {"position": "question_end"},
    {"position": "system", "input": "{question} for {unit price}"},
    {"position": "before_question", "input": "Given {class}:\n{question}", "demonstrations": 1},
    {"position": "question_begin", "frame": "qa"},
]
FIELDS = {**COLUMNS, "input": COLUMNS["question"]}


def expected(found: Material) -> list[tuple[str, str]]:
    """Role and text of what is sent."""
    opening = found.template.fill({name: FIELDS[name] for name in found.template.inputs})
    if isinstance(opening, str):
        return [("text", opening)]
    return [(message.role, message.content) for message in opening]


def by_promptfoo(found: Material) -> list[tuple[str, str]]:
    """As promptfoo does it: the YAML, then the prompt as JSON, then nunjucks in each of its strings."""
    config = yaml.safe_load(export(found, "promptfoo"))
    names = variables(found.template.inputs)
    values = {name: FIELDS[column] for column, name in names.items()}
    assert set(config["tests"][0]["vars"]) == set(values)
    turns = json.loads(config["prompts"][0]["raw"])
    return [(turn["role"], NUNJUCKS.from_string(turn["content"]).render(values)) for turn in turns]


def by_langchain(found: Material) -> list[tuple[str, str]]:
    """As LangChain does it: `str.format` with the template's variables."""
    tree = ast.parse(export(found, "langchain"))
    values = {name: FIELDS[column] for column, name in constant(tree, "VARIABLES").items()}
    call = value(tree, "prompt")
    assert isinstance(call, ast.Call)
    given = ast.literal_eval(call.args[0])
    turns = [("text", given)] if isinstance(given, str) else given
    roles = {"human": "user", "ai": "assistant"}
    return [(roles.get(role, role), text.format(**values)) for role, text in turns]


def by_python(found: Material, name: str) -> list[tuple[str, str]]:
    """As the Python files for Inspect and DSPy do it: their own `fill`."""
    tree = ast.parse(export(found, name))
    kept: list[ast.stmt] = [
        node
        for node in tree.body
        if (isinstance(node, ast.ClassDef) and node.name == "C")
        or (isinstance(node, ast.FunctionDef) and node.name == "fill")
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TURNS")
    ]
    space: dict[str, Any] = {"READING": found.reading}
    exec(compile(ast.Module(kept, []), "exported", "exec"), space)
    return [(role, space["fill"](pieces, FIELDS)) for role, pieces in space["TURNS"]]


def by_messages(found: Material) -> list[tuple[str, str]]:
    """As the page says: every `{input}` replaced, in one pass."""
    pattern = re.compile("|".join(re.escape(f"{{{name}}}") for name in found.template.inputs) or r"(?!)")
    return [
        (turn["role"], pattern.sub(lambda match: FIELDS[match[0][1:-1]], turn["content"]))
        for turn in json.loads(export(found, "messages"))
    ]


def by_json(found: Material) -> list[tuple[str, str]]:
    again = Template.from_dict(json.loads(export(found, "json")))
    opening = again.fill(FIELDS)
    assert not isinstance(opening, str)
    return [(message.role, message.content) for message in opening]


def value(tree: ast.Module, name: str) -> ast.expr:
    return next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )


def constant(tree: ast.Module, name: str) -> Any:
    return ast.literal_eval(value(tree, name))


RENDERERS = {
    "promptfoo": by_promptfoo,
    "langchain": by_langchain,
    "inspect": lambda found: by_python(found, "inspect"),
    "dspy": lambda found: by_python(found, "dspy"),
    "messages": by_messages,
    "json": by_json,
}


@pytest.mark.parametrize("shape", range(len(SHAPES)))
@pytest.mark.parametrize("prompt", HOSTILE)
@pytest.mark.parametrize("name", RENDERERS)
def test_a_hostile_prompt_arrives_as_it_is(name: str, prompt: str, shape: int) -> None:
    found = material(prompt, **SHAPES[shape])
    if name == "messages" and SHAPES[shape].get("demonstrations"):
        with pytest.raises(ConfigError, match=r"a worked example holds \{.*\} itself.*--to json"):
            export(found, name)
        return
    assert RENDERERS[name](found) == expected(found)


@pytest.mark.parametrize("name", RENDERERS)
@settings(max_examples=60, deadline=None)
@given(
    prompt=st.lists(
        st.sampled_from([*"{}%#$'\"\\\n -[]()ab_é|&*:!`~", "{question}", "{% raw %}"]), max_size=40
    ).map("".join)
)
def test_so_does_any_other(name: str, prompt: str) -> None:
    found = material(prompt)
    assert RENDERERS[name](found) == expected(found)


@pytest.mark.parametrize("prompt", HOSTILE)
def test_a_base_model_s_text_is_exported_for_langchain_and_refused_in_one_line_elsewhere(prompt: str) -> None:
    found = material(prompt, chat=False, demonstrations=1, position="before_question")
    assert by_langchain(found) == expected(found)
    for name in ("messages", "promptfoo", "inspect", "dspy"):
        with pytest.raises(ConfigError, match=f"--to {name}: the run's model is a base model") as caught:
            export(found, name)
        assert "\n" not in str(caught.value)


def test_a_second_turn_is_included_or_refused_in_one_line() -> None:
    found = material("Think {first}.", answer={"kind": "label", "labels": ["left", "right"], "rounds": 2})
    again = found.template.second_turn
    assert again
    for name in ("inspect", "dspy", "langchain"):
        assert constant(ast.parse(export(found, name)), "SECOND_TURN") == again
    assert json.loads(export(found, "json"))["second_turn"] == again
    messages = json.loads(export(found, "messages"))
    assert messages[-2:] == [
        {"role": "assistant", "content": "{reply}"},
        {"role": "user", "content": again},
    ]
    assert again in export(found, "text")
    with pytest.raises(ConfigError, match=r"--to promptfoo: a second turn .* use --to inspect"):
        export(found, "promptfoo")


def test_a_prompt_that_names_the_placeholder_of_the_reply_gets_another_one() -> None:
    found = material("Say {reply}.", answer={"kind": "label", "labels": ["left", "right"], "rounds": 2})
    assert json.loads(export(found, "messages"))[-2]["content"] == "{reply_}"


def test_what_is_scored_by_an_own_function_is_told() -> None:
    found = material("Think.", answer=lambda reply: reply)
    for name in ("inspect", "dspy"):
        with pytest.raises(ConfigError, match=f"--to {name}: .*a function of your own"):
            export(found, name)
    assert by_promptfoo(found) == expected(found)


def test_variables_are_identifiers_and_no_two_alike() -> None:
    names = variables(["input", "unit price", "unit-price", "class", "loop", "größe", "_x", "1st"])
    assert len(set(names.values())) == len(names)
    assert names["input"] == "input"
    assert all(name.isidentifier() and name.isascii() for name in names.values())


def test_the_text_is_the_whole_template() -> None:
    assert export(material("Think {x}."), "text") == "{question}\nThink {x}."
    system = export(material("Think.", position="system"), "text")
    assert system == "system:\nThink.\n\nuser:\n{question}"


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_no_name_of_a_run_ends_a_comment_or_a_docstring(name: str) -> None:
    text = export(material("Think."), name)
    if name in ("inspect", "dspy", "langchain"):
        assert ast.get_docstring(ast.parse(text))
    else:
        yaml.safe_load(text)


def test_messages_of_a_result_are_those_that_were_sent() -> None:
    found = material(
        "Think {x} about {unit price}.", answer={"kind": "label", "labels": ["left", "right"], "rounds": 2}
    )
    made = task(answer={"kind": "label", "labels": ["left", "right"], "rounds": 2})
    extra = {"template": found.template.to_dict(), "reading": found.reading.to_dict()}
    result = type(found.result)(status="complete", initial_prompt="", best_prompt="", extra=extra)
    example = made.splits.dev[0]
    opening = made.opening("Think {x} about {unit price}.", example)
    assert result.messages(example.fields) == plain(opening)
    closing = made.closing(opening, "well")
    assert result.messages(example.fields, reply="well") == plain(closing)
    with pytest.raises(ConfigError, match="lacks the column 'question'"):
        result.messages({"unit price": 1})


def plain(turns: Any) -> list[dict[str, str]]:
    assert all(isinstance(turn, Message) for turn in turns)
    return [{"role": turn.role, "content": turn.content} for turn in turns]
