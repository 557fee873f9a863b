"""Parquet files: a few bytes of a good file changed, or any bytes, are a task or one line that says what is wrong."""

from __future__ import annotations

import io
from functools import cache

from tests.fuzz.targets.data import INPUTS, KINDS, use
from tests.fuzz.targets.target import Input, Target, scratch

_PATH = scratch() / "rows.parquet"
_PATCH = 4


@cache
def bases() -> tuple[bytes, ...]:
    """Good files: text, numbers and times, lists and structs."""
    import pyarrow
    from pyarrow import parquet

    kinds = [
        {"input": ["a", "b", "c"], "target": ["yes", "no", "yes"]},
        {
            "input": pyarrow.array([1, 2, 3], pyarrow.timestamp("ns")),
            "target": pyarrow.array([1.5, None, 2]),
            "id": pyarrow.array([1, 2, 3], pyarrow.int8()),
        },
        {
            "input": [["x"], ["y", "z"], []],
            "target": [{"text": ["a"], "label": ["A"]}] * 3,
            "question": pyarrow.array([1, 2, 3], pyarrow.date64()),
        },
        {
            "input": pyarrow.array([b"\xff", b"b", b""]),
            "target": pyarrow.array([1, 2, 3], pyarrow.duration("us")),
            "question": pyarrow.array([1, 2, 3], pyarrow.time64("ns")),
        },
    ]
    files = []
    for columns in kinds:
        for options in ({"use_dictionary": False, "compression": "none"}, {"compression": "snappy"}):
            buffer = io.BytesIO()
            # Nothing of the library's version: the same file whichever one writes it.
            parquet.write_table(
                pyarrow.table(columns).replace_schema_metadata(None), buffer, store_schema=False, **options
            )
            files.append(buffer.getvalue())
    return tuple(files)


def run(data: bytes) -> None:
    """The first bytes choose a good file and the task's keys; four bytes each then say where one byte is changed (or,
    from the file's end, its footer) and to what. The last choice of file is the input itself."""
    read = Input(data)
    files = bases()
    chosen = read.below(len(files) + 1)
    options = {
        "input": INPUTS[read.below(len(INPUTS))],
        "answer": KINDS[read.below(len(KINDS))],
        "split": {"train": 1, "dev": 1, "test": 1},
        "allow_overlap": True,
    }
    _PATH.write_bytes(read.rest() if chosen == len(files) else patched(files[chosen], read))
    use(_PATH, options)


def patched(base: bytes, read: Input) -> bytes:
    """`base` with the bytes changed that the rest of the input names."""
    file = bytearray(base)
    while read.left >= _PATCH:
        backwards, place, value = read.below(2), read.number(), read.below(256)
        at = place % len(file)
        file[-1 - at if backwards else at] = value
    return bytes(file)


def seeds() -> list[bytes]:
    """Every good file unchanged, and a change in the body and in the footer of each."""
    count = len(bases())
    found = [bytes([base, 0, kind]) for base in range(count) for kind in (0, 2, 5)]
    found += [bytes([base, 0, 5, side, 0, 9, 255]) for base in range(count) for side in (0, 1)]
    return [*found, bytes([count, 0, 5]) + bases()[0]]


TARGET = Target("parquet", run, seeds, tokens=["PAR1", "schema", "input", "target", "list", "element"])
