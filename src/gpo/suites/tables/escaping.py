"""Names and numbers of a table as Markdown, LaTeX and CSV take them. Labels come from files: none may break a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gpo.text import printable

MISSING = "–"
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    # At the start of a row, behind the command that ends the one before, they would be its option.
    "[": "{[}",
    "*": "{*}",
}


def escape_markdown(text: str) -> str:
    """`text` as plain text within a cell of a Markdown table."""
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#$])", r"\\\1", plain)


def escape_latex(text: str) -> str:
    """`text` as plain text within a LaTeX table."""
    return "".join(_LATEX.get(character, character) for character in printable(text))


def escape_csv(text: str) -> str:
    """`text` for a CSV file; what a spreadsheet would take for a formula is quoted."""
    plain = printable(text)
    return f"'{plain}" if plain[:1] in ("=", "+", "-", "@") else plain


def label(text: str) -> str:
    """A label for people where it is empty."""
    return text or MISSING


def score(
    mean: float | None, std: float | None, seeds: int, wanted: int, failed: int = 0, said: Sequence[str] = ()
) -> str:
    """Mean ± sample standard deviation in points; says how many seeds it rests on where they are not all there, and
    what else is to be `said` of it."""
    if mean is None:
        return "failed" if failed else MISSING
    shown = f"{mean:.2f}" if std is None else f"{mean:.2f} ± {std:.2f}"
    parts = [*([f"{seeds} of {wanted} seeds"] if seeds != wanted else []), *said]
    return f"{shown} ({', '.join(parts)})" if parts else shown


def format_number(value: float | None, form: str = ",.0f") -> str:
    """`value`, or a dash where it is unknown."""
    return MISSING if value is None else format(value, form)


def join_failures(failed: Mapping[str, str], most: int = 3) -> list[tuple[str, str]]:
    """Runs that failed for the same reason in one line: their names, of many the first `most`, and the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in failed.items():
        by_reason.setdefault(reason, []).append(name)
    return [
        (", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else ""), reason)
        for reason, names in by_reason.items()
    ]
