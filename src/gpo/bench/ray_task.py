"""One cell on a machine of a Ray cluster: in the driver's folder where it is shared, else in one whose files go back.

Runs on the worker. Knows no cluster: what carries the call and its answer is `gpo.bench.ray_pool`'s business.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpo.bench.execute import Cell, CellResult, run_cell
from gpo.bench.parcel import Parcel, pack, unpack
from gpo.errors import GPOError
from gpo.paths import home


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A file in the driver's folder: a machine that finds it under the same path shares that folder."""

    path: str
    token: str

    def seen(self) -> bool:
        """Whether this machine has it."""
        try:
            return Path(self.path).read_text(encoding="utf-8") == self.token
        except (OSError, UnicodeDecodeError):
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a task gives back: `files` where the machine does not share the driver's folder; `store` names the store of
    calls that its run used."""

    result: CellResult
    store: str
    files: Parcel | None = None


def carry_out(cell: Cell, out: str, mark: Mark, earlier: Callable[[], Parcel], limit: int) -> Returned:
    """Run `cell` into `out` where `mark` is seen. Elsewhere go on with the files that `earlier` fetches, and send back
    what the run directory then holds (`limit` bytes at most; more stays on the machine, and the result says so)."""
    store = store_name()
    if mark.seen():
        return Returned(result=run_cell(cell, Path(out), signals=True), store=store)
    place = Path(tempfile.mkdtemp(prefix="gpo-cell-"))
    directory = place / cell.run_dir
    ran = False
    try:
        if files := earlier():
            unpack(files, directory, limit)
        result = run_cell(cell, place, signals=True)
        ran = True
        files = pack(directory, limit)
    except GPOError as error:
        where = f" (it is kept on {socket.gethostname()})" if ran else ""
        return Returned(result=failed(cell, f"{error}{where}"), store=store)
    shutil.rmtree(place, ignore_errors=True)
    return Returned(result=result, store=store, files=files)


def store_name() -> str:
    """The store of calls of whoever calls this: its machine and its folder."""
    return f"{socket.gethostname()}:{home().resolve()}"


def failed(cell: Cell, reason: str) -> CellResult:
    """The result of a cell that `reason` kept from ending."""
    return CellResult(slug=cell.slug, run_dir=cell.run_dir, status="failed", reason=reason[:500])
