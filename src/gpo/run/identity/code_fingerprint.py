"""What identifies an own function or object between two processes: its code, and the values that it was made with.

What may change while it is used is left out (what it counts or loads at its first call) or known by its type alone
(lists, dicts, open files).
"""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib.util
import platform
import re
import sys
import types
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

MOST_PARTS = 5_000
"""Parts that are looked at; a larger object is known by its first ones."""

_PLAIN = (str, bytes, int, float, complex, type(None), type(Ellipsis))
_NOBODYS = ("", "builtins", "gpo")
_INSTALLED = {"site-packages", "dist-packages"}
_MAKING = ("__init__", "__new__", "__post_init__")
_READS_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")
_SETS_GLOBAL = ("STORE_GLOBAL", "DELETE_GLOBAL")
_SETS_CELL = ("STORE_DEREF", "DELETE_DEREF")

_State = tuple[int, str]
"""A module's names, a class or a cell by its id, and which of its names."""


def fingerprint_code(thing: Any, *, helpers: bool = False) -> str:
    """A hash of what `thing` does, after the Python that compiled it ("py3.11-" and 16 hex digits); "" where nothing
    in it is anybody's own: GPO's code is known by its names.

    Followed is the code of functions, methods and classes, and of what they use from their own package, with defaults,
    closures and constants; what they import from elsewhere counts by its name. With `helpers` the other modules of the
    user's that they use count by their text: all that are no part of Python and were not installed.
    """
    first = _Walk(helpers=helpers)
    for _ in first.parts(thing):
        pass
    walk = _Walk(first.state, helpers=helpers)
    hasher = hashlib.blake2b(digest_size=8)
    for part in walk.parts(thing):
        hasher.update(part.encode("utf-8", "surrogatepass") + b"\0")
    python = ".".join(platform.python_version_tuple()[:2])
    return f"py{python}-{hasher.hexdigest()}" if walk.home else ""


class _Walk:
    """Through an object. `home` is the package of the first own function or class that it meets."""

    def __init__(self, state: Collection[_State] = (), *, helpers: bool = False) -> None:
        self.home = ""
        self._helpers = helpers
        self.state: set[_State] = set()
        """What the functions on the way set as they run."""
        self._left_out = state
        # The objects too: an id may be given again to the next one.
        self._seen: dict[int, Any] = {}
        self._left = MOST_PARTS

    def parts(self, thing: Any) -> Iterator[str]:
        """What `thing` is made of, as texts in an order that no process changes."""
        self._left -= 1
        if self._left < 0:
            return
        if isinstance(thing, _PLAIN):
            yield f"{type(thing).__name__} {thing!r}"
        elif isinstance(thing, tuple):
            yield from self._all("tuple", thing)
        elif isinstance(thing, frozenset):
            yield from self._all("frozenset", sorted(thing, key=repr))
        elif isinstance(thing, re.Pattern):
            yield f"pattern {thing.pattern!r} {thing.flags}"
        elif isinstance(thing, types.CodeType):
            yield f"code {thing.co_code.hex()} {thing.co_names} {thing.co_argcount} {thing.co_kwonlyargcount}"
            yield from self._all("constants", thing.co_consts)
        elif id(thing) in self._seen:
            yield "again"
        else:
            self._seen[id(thing)] = thing
            yield from self._inside(thing)

    def _inside(self, thing: Any) -> Iterator[str]:
        if isinstance(thing, types.FunctionType):
            yield from self._function(thing)
        elif isinstance(thing, type):
            yield from self._class(thing)
        elif isinstance(thing, types.MethodType):
            yield from self._all("method", (thing.__func__, thing.__self__))
        elif isinstance(thing, functools.partial):
            yield from self._all("partial", (thing.func, *thing.args, *sorted(thing.keywords.items())))
        elif isinstance(thing, property):
            yield from self._all("property", (thing.fget,))
        elif hasattr(thing, "__wrapped__"):  # a static method, a cache around a function
            yield from self._all(type(thing).__name__, (thing.__wrapped__,))
        elif isinstance(thing, types.ModuleType | types.BuiltinFunctionType):
            yield f"named {_module(thing)} {thing.__name__}"
            if self._helpers and isinstance(thing, types.ModuleType) and is_users(thing.__name__):
                yield from self._source(thing)
        else:
            yield from self._object(thing)

    def _all(self, kind: str, things: Iterable[Any]) -> Iterator[str]:
        yield kind
        for thing in things:
            yield from self.parts(thing)
        yield f"end of {kind}"

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        yield f"function {function.__qualname__}"
        # What a decorator stands around comes first: it is the user's, where the decorator may be a library's.
        yield from self.parts(getattr(function, "__wrapped__", None))
        yield from self._helper(function)
        if self._is_own(function):
            yield from self.parts(function.__code__)
            yield from self.parts(function.__defaults__)
            yield from self._walk_named(function.__kwdefaults__ or {})
            module = id(function.__globals__)
            self.state |= {(module, name) for name in _names(function.__code__, _SETS_GLOBAL)}
            read = set(_names(function.__code__, _READS_GLOBAL))
            found = {name: value for name, value in function.__globals__.items() if name in read}
            if self._helpers:
                for name in sorted(set(_names(function.__code__, ("IMPORT_NAME",)))):
                    yield from self.parts(_imported_source(name, function.__module__))
            yield from self._walk_named(found, module)
        sets = set(_names(function.__code__, _SETS_CELL))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if name in sets:
                self.state.add((id(cell), ""))
            yield from self._all("cell", () if (id(cell), "") in self._left_out else _content(cell))

    def _class(self, cls: type) -> Iterator[str]:
        yield f"class {cls.__qualname__}"
        yield from self._helper(cls)
        if self._is_own(cls):
            yield from self._all("bases", cls.__bases__)
            code = {
                name: value for name, value in vars(cls).items() if callable(value) or not _is_dunder(name)
            }
            methods = [
                n for n, f in vars(cls).items() if isinstance(f, types.FunctionType) and n not in _MAKING
            ]
            called = methods if self._helpers else ["__call__"]
            self.state |= {(id(cls), name) for name in _set_by_a_call(cls, called)}
            yield from self._walk_named(code, id(cls))

    def _object(self, thing: Any) -> Iterator[str]:
        owners = [id(cls) for cls in type(thing).__mro__]
        yield from self.parts(type(thing))
        if is_dataclass(thing):
            values = {field.name: getattr(thing, field.name, None) for field in fields(thing)}
            yield from self._walk_named(values, *owners)
        elif _top(type(thing)) in (self.home or None, "gpo"):
            yield from self._walk_named(getattr(thing, "__dict__", {}), *owners)

    def _source(self, module: types.ModuleType) -> Iterator[str]:
        """The text of a module of the user's, tables and all, and those of the user's modules that it uses."""
        yield _text(getattr(module, "__file__", None))
        for _, value in sorted(vars(module).items(), key=lambda item: item[0]):
            name = value.__name__ if isinstance(value, types.ModuleType) else _module(value)
            if name != module.__name__ and is_users(name):
                yield from self.parts(sys.modules.get(name))

    def _helper(self, thing: Any) -> Iterator[str]:
        """The module of a function or class that is not looked into, where it is the user's."""
        if self._helpers and _top(thing) != self.home and is_users(_module(thing)):
            yield from self.parts(sys.modules.get(_module(thing)))

    def _walk_named(self, things: dict[str, Any], *owners: int) -> Iterator[str]:
        for name, thing in sorted(things.items()):
            if not any((owner, name) in self._left_out for owner in owners):
                yield name
                yield from self.parts(thing)

    def _is_own(self, thing: Any) -> bool:
        """Whether the code of a function or class is looked into: that of the first package that is met."""
        top = _top(thing)
        if top in _NOBODYS:
            return False
        self.home = self.home or top
        return top == self.home


def _names(code: types.CodeType, operations: Collection[str]) -> Iterator[str]:
    """The names that `operations` of `code`, and of the functions written within it, are about."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in operations:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant, operations)


def is_users(module: str) -> bool:
    """Whether the module called `module` is the user's: no part of Python or GPO, and not installed."""
    top = module.partition(".")[0]
    if top in _NOBODYS or top in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and not (_INSTALLED & set(Path(file).parts))


def _imported_source(name: str, by: str) -> str:
    """The text of a module of the user's that a function imports as it runs, be it loaded yet or not; "" of others."""
    package = by.rpartition(".")[0]
    for candidate in dict.fromkeys((name, f"{package}.{name}" if package else name)):
        try:
            spec = importlib.util.find_spec(candidate)
        except (ImportError, AttributeError, ValueError):
            continue
        if spec and spec.origin and not (_INSTALLED & set(Path(spec.origin).parts)):
            if (
                candidate.partition(".")[0] in sys.stdlib_module_names
                or candidate.partition(".")[0] in _NOBODYS
            ):
                return ""
            return _text(spec.origin)
    return ""


def _text(file: str | None) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace") if file else ""
    except OSError:
        return ""


def _set_by_a_call(cls: type, called: Iterable[str]) -> Iterator[str]:
    """The attributes that the methods `called` of `cls` set, be it by way of others; what is computed once."""
    functions = {name: value for name, value in vars(cls).items() if isinstance(value, types.FunctionType)}
    left, seen = list(called), set[str]()
    while left:
        name = left.pop()
        if name in functions and name not in seen:
            seen.add(name)
            yield from _names(functions[name].__code__, ("STORE_ATTR",))
            left += functions[name].__code__.co_names
    yield from (name for name, value in vars(cls).items() if isinstance(value, functools.cached_property))


def _content(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not filled yet
        return ()


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _top(thing: Any) -> str:
    return _module(thing).partition(".")[0]


def _module(thing: Any) -> str:
    return str(getattr(thing, "__module__", None) or "")
