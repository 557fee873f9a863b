"""The order of the rooms, read from the imports: none upward, no circle, no room too full; one name for one class."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"
ORDER = (
    "cli", "integrations", "api", "options", "suites", "report", "export", "run", "result", "storage", "optimizer",
    "evaluation", "task", "model", "config", "text", "compact_json", "file_lock", "paths", "extras", "value_class",
    "errors",
)  # fmt: skip
"""A room imports only those after it; `gpo` itself loads the public names from anywhere."""
UPWARD: set[tuple[str, str]] = set()
CIRCLES = {
    # A `Task` is built from its section in a file of its own, and says so itself with `Task.from_config`.
    ("gpo.task.task", "gpo.task.build"),
}
MOST_FILES = 15


def imports() -> dict[str, set[str]]:
    """Of every module, those of this package that it names anywhere: in functions and for types too."""
    files = {name_of(path): path for path in (SOURCE / "gpo").rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{name}: a relative import"
                assert node.module
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                named = (full & files.keys()) or {node.module}
            else:
                continue
            found[name] |= named & files.keys()
    return found


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def upward(edges: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    place = {room: number for number, room in enumerate(ORDER)}
    pairs = {(a, b) for a, others in edges.items() for b in others if "gpo" not in (a, b)}
    return {(a, b) for a, b in pairs if place[b.split(".")[1]] < place[a.split(".")[1]]}


def test_no_import_points_upward() -> None:
    assert upward(imports()) == UPWARD, "an exception that is gone leaves the list"


def test_an_upward_import_is_found() -> None:
    edges = {"gpo.errors": {"gpo.cli.main"}, "gpo.cli.main": {"gpo.errors"}}
    assert upward(edges) == {("gpo.errors", "gpo.cli.main")}


def test_there_is_no_circle() -> None:
    edges = imports()
    assert all(b in edges[a] for a, b in CIRCLES), "an exception that is gone leaves the list"
    kept = {a: {b for b in others if (a, b) not in CIRCLES} for a, others in edges.items()}
    try:
        list(TopologicalSorter(kept).static_order())
    except CycleError as error:
        raise AssertionError(" <- ".join(error.args[1])) from None


def class_names() -> Counter[str]:
    """How many classes of this package have each name."""
    return Counter(
        node.name
        for path in (SOURCE / "gpo").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )


def test_no_two_classes_have_one_name() -> None:
    assert {name for name, count in class_names().items() if count > 1} == set()


def test_no_room_is_too_full() -> None:
    folders = {path.parent for path in (SOURCE / "gpo").rglob("*.py")}
    sizes = {
        folder.name: sum(path.name != "__init__.py" for path in folder.glob("*.py")) for folder in folders
    }
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}
