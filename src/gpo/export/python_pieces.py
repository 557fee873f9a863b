"""Turns as Python source without any template language: literals, and the names of columns between them."""

from __future__ import annotations

from gpo.export.material import Material
from gpo.export.names import source
from gpo.task.reading import Reading
from gpo.task.template import Template


def turns_source(template: Template) -> str:
    """`[("user", [C("input"), "text"]), …]`, one piece a line; C marks a column."""
    turns = []
    for turn in template.turns:
        pieces = "".join(
            f"            C({piece.text!r}),\n"
            if piece.is_input
            else f"            {source(piece.text, 12)},\n"
            for piece in template.pieces(turn)
        )
        turns.append(f'    (\n        "{turn.role}",\n        [\n{pieces}        ],\n    ),\n')
    return "[\n" + "".join(turns) + "]"


def constants_source(material: Material, reading: Reading) -> str:
    """What a program needs of the run, as constants: turns, target, how a reply is read, the model's settings."""
    template, model = material.template, material.model
    values = {
        "TURNS": turns_source(template),
        "SECOND_TURN": source(template.second_turn, 0),
        "TARGET": repr(material.target),
        "READING": f"Reading.from_dict({reading.to_dict()!r})",
        "TEMPERATURE": repr(model.temperature),
        "MAX_TOKENS": model.max_tokens,
        "SECOND_ROUND_TOKENS": material.second_round_tokens,
    }
    return "".join(f"{name} = {value}\n" for name, value in values.items())


HELPERS = '''
class C(str):
    """The name of a column whose text is put in here."""


def fill(pieces, row):
    """The pieces of a turn as one text."""
    return "".join(READING.text(row[piece]) if isinstance(piece, C) else piece for piece in pieces)
'''
