"""The line of the configuration file that an error is about, where it is only found after the file was read: a model
or a method that does not exist, a data file that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gpo.config.load import at_line, line_of, parse_yaml
from gpo.errors import ConfigError, DataError

_KEY = re.compile(r"([a-z_]+(?:\.\w+)*): ")


@contextmanager
def name_lines(path: Path, overrides: Sequence[str] = ()) -> Iterator[None]:
    """A `ConfigError` raised within that begins with a key of the file `path` goes on with the file and the line in
    front of it. Keys that `overrides` ("key.path=value") set, or that do not stand in the file, have no line."""
    try:
        yield
    except DataError:
        raise  # names a data file
    except ConfigError as error:
        line = _line(str(error), path, overrides)
        if line is None:
            raise
        raise ConfigError(f"{at_line(str(path), line)}: {error}") from error


def _line(message: str, path: Path, overrides: Sequence[str]) -> int | None:
    found = _KEY.match(message)
    if found is None:
        return None
    key = tuple(found[1].split("."))
    for override in overrides:
        given = tuple(override.partition("=")[0].strip().split("."))
        if given[: len(key)] == key[: len(given)]:
            return None
    try:
        _, lines = parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError, ConfigError):
        return None
    return line_of(key, lines)
