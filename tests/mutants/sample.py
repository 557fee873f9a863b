"""Find the mutations that cosmic-ray can make of the rooms and pick a seeded sample of them."""

from __future__ import annotations

import ast
import contextlib
import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator

ROOMS = ("optimizer", "evaluation", "run", "storage")

Span = tuple[tuple[int, int], tuple[int, int]]
"""(line, column) of the beginning and of the end; lines from 1, columns from 0."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutation of one file: `operator`'s `occurrence`-th place in it. `path` is relative to the repository;"""

    path: str
    operator: str
    occurrence: int
    line: int
    before: str
    after: str
    place: str

    @property
    def key(self) -> str:
        """What names the mutation also when other lines of the file have changed."""
        return f"{self.path}: {self.before} => {self.after} @ {self.place}"


def pick_sample(root: Path, size: int, seed: int) -> list[Mutant]:
    """`size` mutants of the rooms under `root`.

    First `size` places in the code, each as likely as any other, then one mutation of each place: a comparison, which
    can be mutated in five ways, would fill the sample otherwise. Places are ranked by a hash of their text, so that a
    change elsewhere leaves the rest of the sample as it was.
    """
    ranked: list[tuple[str, Path, int, list[tuple[str, int]]]] = []
    for room in ROOMS:
        for path in sorted((root / "src" / "gpo" / room).rglob("*.py")):
            lines = path.read_text(encoding="utf-8").splitlines()
            seen: Counter[str] = Counter()
            for span, ways in sorted(find_mutations(path).items()):
                text = f"{path.name}: {lines[span[0][0] - 1]} @ {span[0][1]}-{span[1][1]}"
                ranked.append((rank(seed, f"{text} #{seen[text]}"), path, span[0][0], ways))
                seen[text] += 1
    ranked.sort(key=lambda item: item[0])
    mutants = (choose(root, path, line, ways, place) for place, path, line, ways in ranked)
    return list(islice(filter(None, mutants), size))


def choose(root: Path, path: Path, line: int, ways: list[tuple[str, int]], place: str) -> Mutant | None:
    """One of the `ways` (operator, occurrence) to mutate a place, None where all that come of it is no Python: the `*`
    before keywords is a place like any other."""
    source = path.read_text(encoding="utf-8")
    first = int(place, 16) % len(ways)
    for operator, occurrence in ways[first:] + ways[:first]:
        changed = mutate(source, operator, occurrence)
        with contextlib.suppress(SyntaxError):
            compile(changed, path, "exec")
            before, after = compare_lines(source, changed)
            return Mutant(
                path.relative_to(root).as_posix(), operator, occurrence, line, before, after, place[:8]
            )
    return None


def mutate(source: str, operator: str, occurrence: int) -> str:
    """The whole source with one mutation."""
    changed = mutate_code(source, cosmic_ray.plugins.get_operator(operator)(), occurrence)
    assert isinstance(changed, str)
    return changed


def find_mutations(path: Path) -> dict[Span, list[tuple[str, int]]]:
    """Operators and occurrences by place, of a file, without places where a mutation changes no behaviour: besides
    declarations the `*` before keywords, of which cosmic-ray makes an arithmetic operator."""
    source = path.read_text(encoding="utf-8")
    unused = find_declarations(source)
    tree = get_ast(source)
    counts: Counter[str] = Counter()
    found: defaultdict[Span, list[tuple[str, int]]] = defaultdict(list)
    for node in ast_nodes(tree):
        marker = node.type == "operator" and node.parent.type in ("parameters", "lambdef")
        for name, operator in OPERATORS.items():
            for start, end in operator.mutation_positions(node):
                if not marker and not any(first <= start and end <= last for first, last in unused):
                    found[start, end].append((name, counts[name]))
                counts[name] += 1
    return dict(found)


def find_declarations(source: str) -> list[Span]:
    """Places of type annotations, which are never evaluated here (`from __future__ import annotations`), of the
    switches of `@dataclass`, which mypy holds the code to, and of protocols, which nobody calls."""
    parts: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(source)):
        parts += [getattr(node, field, None) for field in ("annotation", "returns")]
        if isinstance(node, ast.ClassDef):
            if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
                parts.append(node)
            parts += [
                word.value
                for call in node.decorator_list
                if isinstance(call, ast.Call)
                for word in call.keywords
            ]
    return [
        ((part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0))
        for part in parts
        if isinstance(part, ast.expr | ast.ClassDef)
    ]


def compare_lines(source: str, changed: str) -> tuple[str, str]:
    """The first line of each that differs, stripped."""
    old, new = source.splitlines(), changed.splitlines()
    for before, after in zip(old, new, strict=False):
        if before != after:
            return before.strip(), after.strip()
    raise AssertionError("the mutation changes nothing")


def rank(seed: int, text: str) -> str:
    """A place in an order that depends on `seed` and on nothing but the text."""
    return hashlib.sha256(f"{seed} {text}".encode()).hexdigest()


def _operators() -> dict[str, Operator]:
    # `==` to `is` says more about which integers and words Python shares than about a test.
    names = (
        name for name in cosmic_ray.plugins.operator_names() if not name.endswith(("t_Is", "q_Is", "E_Is"))
    )
    found = {}
    for name in names:
        operator = cosmic_ray.plugins.get_operator(name)
        if not operator.arguments() and not name.endswith("_IsNot"):
            found[name] = operator()
    return found


OPERATORS = _operators()
