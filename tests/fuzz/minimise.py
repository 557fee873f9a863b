"""Choosing inputs to keep: the smallest first, each for a step between two lines of the package that none before took.

Traced in plain Python, so that it needs no engine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import gpo
from tests.fuzz.check import check
from tests.fuzz.targets.target import Target

_PACKAGE = str(Path(gpo.__file__).parent)
Step = tuple[str, int, int]


def chosen(target: Target, inputs: Iterable[Path], known: Iterable[bytes] = ()) -> list[Path]:
    """Those of `inputs` that together take every step that all of them take and `known` do not."""
    taken: set[Step] = set()
    for data in known:
        taken |= steps(target, data)
    kept = []
    for path in sorted(inputs, key=lambda item: (item.stat().st_size, item.name)):
        found = steps(target, path.read_bytes())
        if not found <= taken:
            taken |= found
            kept.append(path)
    return kept


def steps(target: Target, data: bytes) -> set[Step]:
    """The steps from line to line of the package that `target` takes on `data`."""
    found: set[Step] = set()
    last: dict[int, int] = {}

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        last[id(frame)] = 0
        return line

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            found.add((frame.f_code.co_filename, last.get(id(frame), 0), frame.f_lineno))
            last[id(frame)] = frame.f_lineno
        return line

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        check(target, data)
    finally:
        sys.settrace(before)
    return found
