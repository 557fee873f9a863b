"""A Python file with a `ChatPromptTemplate` (or a `PromptTemplate` for a base model) of LangChain's f-string format."""

from __future__ import annotations

from collections.abc import Iterable

from gpo.export.material import Material
from gpo.export.names import docstring, mapping_source, source, variables
from gpo.task.template import TemplatePiece

_ROLES = {"system": "system", "user": "human", "assistant": "ai"}


def as_langchain(material: Material) -> str:
    """The file's text: `prompt`, and `ask(model, row)` that asks in as many turns as were measured."""
    template = material.template
    names = variables(template.inputs)
    head = docstring(
        [
            f"The best prompt of {material.name} ({material.score_line}), for langchain-core.",
            "",
            f"Measured with temperature {material.model.temperature:g}, at most {material.model.max_tokens} tokens"
            + (f" ({material.second_round_tokens} in the second turn)" if template.second_turn else "")
            + (", ending at the texts in STOP." if material.stop else "."),
        ]
    )
    if material.is_chat:
        turns = "".join(
            f'        ("{_ROLES[turn.role]}", {source(fstring(template.pieces(turn), names), 8)}),\n'
            for turn in template.turns
        )
        made = f"prompt = ChatPromptTemplate.from_messages(\n    [\n{turns}    ]\n)"
        return f"{head}\n\n{_CHAT_IMPORTS}\n\n{made}\n\n{_constants(material, names)}\n\n{_ASK_CHAT}"
    pieces = [piece for turn in template.turns for piece in template.pieces(turn)]
    made = f"prompt = PromptTemplate.from_template({source(fstring(pieces, names), 0)})"
    constants = f"{_constants(material, names)}\nSTOP = {list(material.stop)!r}"
    return f"{head}\n\n{_TEXT_IMPORTS}\n\n{made}\n\n{constants}\n\n{_ASK_TEXT}"


def fstring(pieces: Iterable[TemplatePiece], names: dict[str, str]) -> str:
    """Pieces as one f-string template: braces of the text are doubled."""
    return "".join(
        f"{{{names[piece.text]}}}" if piece.is_input else piece.text.replace("{", "{{").replace("}", "}}")
        for piece in pieces
    )


def _constants(material: Material, names: dict[str, str]) -> str:
    return (
        f"# Columns of a row and the prompt's variables for them.\nVARIABLES = {mapping_source(names)}\n"
        f"SECOND_TURN = {source(material.template.second_turn, 0)}"
    )


_CHAT_IMPORTS = """from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate"""
_TEXT_IMPORTS = "from langchain_core.prompts import PromptTemplate"

_ASK_CHAT = '''
def ask(model, row):
    """The reply of a chat model to a row (texts by column)."""
    messages = prompt.format_messages(**{name: row[column] for column, name in VARIABLES.items()})
    reply = model.invoke(messages).content
    if SECOND_TURN:
        reply = model.invoke([*messages, AIMessage(reply), HumanMessage(SECOND_TURN)]).content
    return reply
'''
_ASK_TEXT = '''
def ask(model, row):
    """The reply of a text completion model to a row (texts by column)."""
    text = prompt.format(**{name: row[column] for column, name in VARIABLES.items()})
    reply = model.invoke(text, stop=STOP)
    if SECOND_TURN:
        reply = model.invoke(text + reply.rstrip() + SECOND_TURN, stop=STOP)
    return reply
'''
