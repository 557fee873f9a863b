"""Several suites with one folder: they share runs, and each keeps its table. What table.md and its like are is the
suite's that ran last; those of others stand beside it under their names."""

from __future__ import annotations

from pathlib import Path

from gpo.errors import RunError
from gpo.storage.atomic_write import encode_text, write_atomically

FILES = ("table.md", "table.csv", "table.tex", "figure.svg")
_OWNER = ".suite"


def make_room(out: Path, suite: str, *, figure: bool) -> list[str]:
    """Make table.* in `out` those of `suite`, before they are written: files of another suite are put aside as
    table-NAME.*, and a figure that `suite` no longer has goes. Returns lines for a person. Raises `RunError`."""
    said: list[str] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = _owner(out)
        if before and before != suite:
            said = _put_aside(out, before)
        # Aside since another suite ran, and about to be written anew.
        for name in FILES:
            (out / _name_file(name, suite)).unlink(missing_ok=True)
        if not figure and before == suite and (out / "figure.svg").exists():
            (out / "figure.svg").unlink()
            said.append(f"{out / 'figure.svg'}: removed, as the suite has no figure")
    except OSError as error:
        raise RunError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None
    write_atomically(out / _OWNER, encode_text(f"{suite}\n"))
    return said


def _owner(out: Path) -> str:
    """The suite whose table lies in `out`, "" where nobody knows."""
    try:
        return (out / _OWNER).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _put_aside(out: Path, suite: str) -> list[str]:
    # The name comes from a file that anybody can write: it must not lead elsewhere.
    if Path(suite).name != suite:
        return []
    kept = [name for name in FILES if (out / name).exists()]
    for name in kept:
        (out / name).replace(out / _name_file(name, suite))
    return [f"{out} held the table of {suite}; it is kept as {_name_file(kept[0], suite)}"] if kept else []


def _name_file(name: str, suite: str) -> str:
    stem, _, ending = name.partition(".")
    return f"{stem}-{suite}.{ending}"
