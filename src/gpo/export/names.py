"""Columns as variables of other tools, and Python source for texts."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

# Words of Jinja, nunjucks and of the tools' own variables, which no column may take.
_TAKEN = {
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "null", "undefined", "loop", "range", "self",
    "super", "joiner", "cycler", "namespace", "dict", "lipsum", "caller", "env", "_conversation", "context", "model",
}  # fmt: skip
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def variables(columns: Iterable[str]) -> dict[str, str]:
    """A variable for each column: its own name where that is a plain identifier, else one like it; no two alike."""
    found: dict[str, str] = {}
    for column in columns:
        base = re.sub(r"\W", "_", column, flags=re.ASCII)
        if (
            not base.isidentifier()
            or keyword.iskeyword(base)
            or base.lower() in _TAKEN
            or base.startswith("_")
        ):
            base = f"column_{base.strip('_')}".rstrip("_")
        name, number = base, 2
        while name in found.values():
            name, number = f"{base}_{number}", number + 1
        found[column] = name
    return found


def free_name(wanted: str, texts: Iterable[str], taken: Iterable[str]) -> str:
    """`wanted`, or a name like it, that neither is `taken` nor stands in braces in one of `texts`."""
    everything, used = list(texts), set(taken)
    name = wanted
    while name in used or any(f"{{{name}}}" in text for text in everything):
        name += "_"
    return name


def source(text: str, indent: int = 4) -> str:
    """`text` as Python source: a literal, one of a line each in parentheses where there are several lines."""
    lines = _LINE.findall(text)
    if len(lines) < 2:
        return repr(text)
    space = " " * indent
    return "(\n" + "".join(f"{space}    {line!r}\n" for line in lines) + f"{space})"


def mapping_source(values: Mapping[str, str]) -> str:
    """A mapping of texts as Python source."""
    return repr(dict(values))


def comment(text: str) -> str:
    """`text` in one line of a comment, whatever it holds."""
    return ascii(text)[1:-1][:300]


def docstring(lines: Sequence[str]) -> str:
    """A module's docstring of `lines`, none of which can end it."""
    safe = [comment(line).replace('"', "'").replace("\\", "/") if line else "" for line in lines]
    return '"""' + "\n".join(safe) + '\n"""'
