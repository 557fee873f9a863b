"""What CONTRIBUTING.md and docs/architecture.md name is there: files, packages in their order, names, commands."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from gpo.cli.main import app

from .test_rooms import ORDER

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md")
PACKAGE = ROOT / "src" / "gpo"


def read_prose(page: Path) -> str:
    """A page without its diagrams."""
    return re.sub(r"```mermaid.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def find_code(page: Path) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", read_prose(page))


def find_missing(page: Path) -> Iterator[str]:
    """Paths and dotted names of `page` that are nowhere."""
    for target in re.findall(r"\]\(([^)#]+)\)", read_prose(page)):
        if not (page.parent / target).exists():
            yield target
    for code in find_code(page):
        for word in code.split():
            path = word.rstrip(".,")
            if re.fullmatch(r"\.?[\w-]+(/[\w.-]+)+/?|[\w-]+\.(py|md|toml|lock)", path):
                ignored = path == "uv.lock"
                if not ignored and not any((base / path).exists() for base in (ROOT, PACKAGE)):
                    yield path
        if re.fullmatch(r"gpo(\.\w+)+", code) and not resolve(code):
            yield code


def resolve(name: str) -> bool:
    """Whether `gpo.a.b` is a module or a name within one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(thing, part):
                return False
            thing = getattr(thing, part)
        return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert list(find_missing(page)) == []


def test_a_name_that_is_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "[one](gone.md), `run/gone.py`, `gpo.text.gone`, `gpo.gone`; "
        "there are `run/compose.py`, `gpo.text.printable`"
    )
    assert list(find_missing(page)) == ["gone.md", "run/gone.py", "gpo.text.gone", "gpo.gone"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = {match[1] for code in find_code(page) if (match := re.match(r"gpo ([a-z]+)", code))}
    assert named - commands == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_table_of_rooms_is_that_of_the_imports(page: Path) -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ([^|]*) \|$", read_prose(page), flags=re.MULTILINE)
    named = [name for first, _ in rows for name in re.findall(r"`(\w+)`", first)]
    assert named == list(ORDER)
    for first, text in rows:
        for name in re.findall(r"`(\w+)`", first):
            folders = {
                path.parent.relative_to(PACKAGE / name).parts[0]
                for path in (PACKAGE / name).rglob("*.py")
                if path.parent != PACKAGE / name
            } - {"numbers"}
            assert folders <= set(re.findall(r"`(\w+)`", text)), (
                f"{name} has rooms that its row does not name"
            )
