"""Turns as Python source without any template language: literals, and the names of columns between them."""

from __future__ import annotations

from gpo.export.names import source
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


HELPERS = '''
class C(str):
    """The name of a column whose text is put in here."""


def fill(pieces, row):
    """The pieces of a turn as one text."""
    return "".join(READING.text(row[piece]) if isinstance(piece, C) else piece for piece in pieces)
'''
