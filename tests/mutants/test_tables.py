"""The tables of mutation testing fit the code: what they name is there. Making mutants takes another command."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .paths import TESTS, find_tests
from .promises import PROMISES, Promise, break_promise

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.words)
def test_a_promise_can_be_broken_where_it_is_kept(promise: Promise) -> None:
    ast.parse(break_promise(ROOT, promise))
    assert all((ROOT / test).exists() for test in promise.tests)


def test_a_promise_that_has_moved_is_an_error() -> None:
    moved = Promise("gone", "src/gpo/errors.py", "no such line", "", ())
    with pytest.raises(LookupError, match="for 'gone'"):
        break_promise(ROOT, moved)


def test_every_file_of_the_rooms_has_tests_that_are_there() -> None:
    rooms = ("optimizer", "evaluation", "run", "storage")
    for room in rooms:
        for path in (ROOT / "src" / "gpo" / room).rglob("*.py"):
            tests = find_tests(path.relative_to(ROOT).as_posix())
            for test in tests:
                file, _, function = test.partition("::")
                assert f"def {function}" in (ROOT / file).read_text(encoding="utf-8"), test
    code = [
        path.relative_to(ROOT / "src" / "gpo").as_posix() for path in (ROOT / "src" / "gpo").rglob("*.py")
    ]
    unused = [prefix for prefix, _ in TESTS if not any(name.startswith(prefix) for name in code)]
    assert unused == []
    with pytest.raises(LookupError, match="has no tests"):
        find_tests("src/gpo/cli/main.py")
