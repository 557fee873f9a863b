"""Reading a configuration file: YAML, `--set` overrides, and errors that name the key and the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from gpo.config.masking import mask_config, masked_url
from gpo.config.schema import Config
from gpo.errors import ConfigError

KeyPath = tuple[str, ...]

# PyYAML answers a scalar that does not fit its tag (`!!bool maybe`) with whatever Python raises on the way.
_YAML_FAULTS = (
    yaml.YAMLError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_MESSAGES = {
    "tuple_type": "must be a list in brackets, such as [a, b]",
    "list_type": "must be a list in brackets, such as [a, b]",
    "too_short": "must have at least one entry",
}
"""Where what pydantic says is of Python and not of YAML."""
_MOST_VALUES = 100_000
_LONGEST_KEY = 120


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read `path` and apply `overrides` ("key.path=value", the value read as YAML), in their order.

    Raises `ConfigError` with one line that names the file, the line, the key and what to write instead.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file (gpo init writes one)") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder; name the configuration file in it") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    data, lines = parse_yaml(text, str(path))
    for override in overrides:
        apply_override(data, override)
    return parse_config(data, source=str(path), lines=lines)


def parse_config(
    data: Any, *, source: str = "configuration", lines: Mapping[KeyPath, int] | None = None
) -> Config:
    """Validate a plain mapping. Raises `ConfigError` naming the key, and the line where `lines` knows it."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"{source}: the configuration must be a mapping of keys to values")
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain(error, source, lines or {}, Config)) from None


def dump_config(config: Config) -> str:
    """The resolved configuration as YAML; it holds names of environment variables and never a key, nor what an address
    says of one (see `masked_url`)."""
    plain = mask_config(config.model_dump(mode="json"))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)


def parse_yaml(text: str, source: str) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """A mapping and the line of every key in it. Raises `ConfigError`, also for a key that stands twice."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        # Aliases of aliases: a few lines that stand for more values than any machine has room for.
        if _size(node, {}) > _MOST_VALUES:
            raise ConfigError(
                f"{source}: holds more than {_MOST_VALUES:,} values; write aliases out less often"
            )
        data = _unshare(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{source}{line}: is not valid YAML ({error.problem})") from None
    except _YAML_FAULTS as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{source}: is not valid YAML ({reason})") from None
    if data is None:
        raise ConfigError(f"{source}: is empty (gpo init writes an example)")
    if not isinstance(data, dict):
        raise ConfigError(f"{source}: the configuration must be a mapping of keys to values")
    lines: dict[KeyPath, int] = {}
    _collect_lines(node, (), lines, source)
    return data, lines


def _size(node: yaml.Node | None, sizes: dict[int, int]) -> int:
    """How many values `node` stands for with every alias written out; one that holds itself is infinitely many."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in sizes:
        sizes[id(node)] = _MOST_VALUES + 1
        parts = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
        sizes[id(node)] = 1 + sum(_size(part, sizes) for part in parts)
    return sizes[id(node)]


def _unshare(value: Any) -> Any:
    """`value` with every alias written out: an override of one place must not change the other."""
    if isinstance(value, dict):
        return {key: _unshare(inner) for key, inner in value.items()}
    return [_unshare(inner) for inner in value] if isinstance(value, list) else value


def _collect_lines(node: yaml.Node | None, path: KeyPath, lines: dict[KeyPath, int], source: str) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        here = (*path, str(key.value))
        if here in lines:
            raise ConfigError(
                f"{source}:{key.start_mark.line + 1}: the key {_short('.'.join(here))} stands twice"
            )
        lines[here] = key.start_mark.line + 1
        _collect_lines(value, here, lines, source)


def apply_override(data: dict[str, Any], override: str) -> None:
    """Set one key of `data` to the value in "key.path=value". Raises `ConfigError` for another form."""
    path, equals, raw = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        shown = f"{path}=…" if equals else override
        raise ConfigError(f"--set {shown}: must look like key.path=value, for instance optimize.epochs=1")
    try:
        value = yaml.safe_load(raw) if raw.strip() else ""
    except _YAML_FAULTS:
        value = raw
    here: Any = data
    for key in keys[:-1]:
        if not isinstance(here.get(key), dict):
            here[key] = {}
        here = here[key]
    here[keys[-1]] = value


def explain(error: ValidationError, source: str, lines: Mapping[KeyPath, int], root: type[BaseModel]) -> str:
    """One line for the first mistake (an unknown key before all, as it often causes the others); `root` is the section
    that did not fit."""
    mistakes = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    # `method` and `task.data` are a name or a mapping: where a mapping is given, "not a string" is not the point.
    mistakes = [
        m for m in mistakes if not (m["type"] == "string_type" and isinstance(m["input"], dict))
    ] or mistakes
    first = mistakes[0]
    path = _known_path(first["loc"])
    key = _short(".".join(path)) or "configuration"
    where = at_line(source, line_of(path, lines))
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key {key}{_suggest(path, first['loc'], root)}"
    if first["type"] == "missing":
        return f"{where}: the key {key} is missing"
    if "extra_headers" in path:
        # A header's value may be a key: it is not shown.
        first = {**first, "input": None}
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 and not _same_key(mistakes) else ""
    given = first.get("input")
    if isinstance(given, str) and "://" in given:
        given = masked_url(given)
    shown = f", not {given!r}" if isinstance(given, str | float | bool) and len(str(given)) < 60 else ""
    if (
        isinstance(given, int) and given.bit_length() < 64
    ):  # of a longer one Python refuses to write the digits
        shown = f", not {given!r}"
    if path[-1:] == ("api_key_env",):
        shown = ""  # it may be the key itself
    message = _MESSAGES.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return f"{where}: {key}: {message[0].lower()}{message[1:]}{shown}{more}"


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int | None:
    """The line of the key `path`, or of the section next above it that stands in the file."""
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)


def at_line(source: str, line: int | None) -> str:
    """The file, with the line where it is known."""
    return f"{source}:{line}" if line else source


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"


def _same_key(mistakes: Sequence[Any]) -> bool:
    return len({_known_path(mistake["loc"]) for mistake in mistakes}) == 1


def _known_path(location: Sequence[int | str]) -> KeyPath:
    """The key path of a pydantic location, without the names of union members and models that pydantic adds."""
    noise = ("function-", "constrained-", "literal[", "dict[", "tuple[", "[key]")
    parts = [str(part) for part in location]
    parts = [part for part in parts if not part.startswith(noise) and not part.endswith("Config")]
    types = {"str", "int", "float", "bool", "none"}
    return tuple(part for index, part in enumerate(parts) if not (index == len(parts) - 1 and part in types))


def _suggest(path: KeyPath, location: Sequence[int | str], root: type[BaseModel]) -> str:
    section = root
    for key in path[:-1]:
        field = section.model_fields.get(key)
        models = [kind for kind in _types(field.annotation) if _is_section(kind)] if field else []
        if not models:
            return ""
        # Where a key can hold one of several sections, the location names the one that was tried.
        section = next((model for model in models if model.__name__ in location), models[0])
    names = list(section.model_fields)
    close = get_close_matches(path[-1], names, n=1)
    if close:
        return f": did you mean {'.'.join((*path[:-1], close[0]))}?"
    return f"; the keys here are {', '.join(names)}"


def _types(annotation: Any) -> list[Any]:
    members = get_args(annotation)
    return [annotation, *(kind for member in members for kind in _types(member))]


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
