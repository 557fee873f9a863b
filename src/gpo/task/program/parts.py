"""Several prompts as one text, so that wherever a prompt is kept, scored or compared a set of them can be.

    <Part rewrite>
    Rewrite the question as a search query.
    </Part>

    <Part answer>
    Answer the question from the passages.
    </Part>

One prompt alone is its own text: with fewer than two names nothing here changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from gpo.errors import ConfigError

ONLY = "prompt"
"""What a program's prompt is called where it was given without a name."""
LONGEST = 80
"""Characters of a part's name."""

_NAME = re.compile(r"[^\W\d][\w.\[\]-]*")
_MARK = re.compile(r"<\s*/?\s*part\b", re.IGNORECASE)
_PART = re.compile(r"<Part ([^>\n]+)>\n(.*?)\n</Part>", re.DOTALL)


def check_parts(parts: object, key: str = "prompts") -> dict[str, str]:
    """`parts` as a mapping of name to text. Raises `ConfigError` naming the part."""
    if not isinstance(parts, Mapping) or not parts:
        raise ConfigError(f'{key}: must be a mapping of names to prompts, such as {{"answer": "Answer."}}')
    for name, text in parts.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > LONGEST:
            raise ConfigError(
                f"{key}: {str(name)[:LONGEST]!a} cannot name a prompt; use letters, digits, _ . - and brackets"
            )
        if not isinstance(text, str):
            raise ConfigError(f"{key}.{name}: must be a text, not {type(text).__name__}")
        if has_mark(text):
            raise ConfigError(
                f"{key}.{name}: holds <Part or </Part, which is how several prompts are kept apart"
            )
    return dict(parts)


def has_mark(text: str) -> bool:
    """Whether `text` holds what parts are kept apart by, so that it can be none."""
    return _MARK.search(text) is not None


def join_parts(parts: Mapping[str, str]) -> str:
    """One text of `parts`, which `check_parts` has passed; the prompt itself where there is one."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    return "\n\n".join(f"<Part {name}>\n{text}\n</Part>" for name, text in parts.items())


def split_parts(prompt: str, names: Sequence[str]) -> dict[str, str]:
    """The inverse of `join_parts`, by the `names` of all parts. Raises `ConfigError` where `prompt` lacks one."""
    if len(names) < 2:
        return {names[0] if names else ONLY: prompt}
    found: dict[str, str] = dict(_PART.findall(prompt))
    if missing := [name for name in names if name not in found]:
        raise ConfigError(
            f"prompts: the part {missing[0]!a} is missing; a prompt of this task has {', '.join(names)}"
        )
    return {name: found[name] for name in names}


def read_parts(prompt: str) -> dict[str, str]:
    """All parts of `prompt` by their names, which nobody needs to know; none where it is one prompt."""
    found: dict[str, str] = dict(_PART.findall(prompt))
    return found if len(found) > 1 and join_parts(found) == prompt else {}


def show_parts(prompt: str) -> str:
    """`prompt` for a person: of several each stands behind its name."""
    return "\n\n".join(f"{name}:\n{text}" for name, text in read_parts(prompt).items()) or prompt


def find_part(prompt: str, name: str) -> str:
    """The text of the part `name` in `prompt`, whose other names nobody knows; "" where there is none."""
    return next((str(text) for found, text in _PART.findall(prompt) if found == name), "")


def change_parts(prompt: str, change: Callable[[str, str], str]) -> str:
    """`prompt` with `change(name, text)` in the place of the text of each of its parts, whatever their names are."""
    return _PART.sub(lambda found: f"<Part {found[1]}>\n{change(found[1], found[2])}\n</Part>", prompt)


def part_of(prompt: str, names: Sequence[str], name: str | None) -> str:
    """The text of one part; `prompt` itself where `name` is None."""
    return prompt if name is None else split_parts(prompt, names)[name]


def with_part(prompt: str, names: Sequence[str], name: str | None, text: str) -> str:
    """`prompt` with `text` in the place of one part; `text` itself where `name` is None."""
    return text if name is None else join_parts({**split_parts(prompt, names), name: text})
