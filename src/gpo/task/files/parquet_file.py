"""Parquet as records, batch by batch, no further than its limit.

A small file can stand for a large table: pages are compressed, and a dictionary's text is stored once for all rows that
have it. So what a file says of itself is looked at first, and then all texts are added up before one is copied out of
its dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError, DataError
from gpo.extras import install
from gpo.task.files import text_file

_BATCH = 1024
"""Rows that are unpacked at once."""


def read_records(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Every row and its place. Raises `ConfigError` where there is no such file or no pyarrow, and `DataError` where it
    is not readable or unpacks to more than `text_file.LARGEST` bytes or `text_file.MOST_VALUES` values."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError(
            f"{path}: a parquet file needs pyarrow, which is not installed: {install('parquet')}"
        ) from None
    number = 0
    try:
        with parquet.ParquetFile(path) as whole:
            texts = _check_said(whole.metadata, path)
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            for batch in _batches(file, path):
                for values in batch.to_pylist():
                    number += 1
                    yield {str(key): value for key, value in values.items()}, f"{path}: row {number}"
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError, pyarrow.ArrowException) as error:
        # Beside its own errors pyarrow raises Python's for values that Python has no form for (a date in the year 10⁶).
        raise DataError(
            f"{path}: is not a readable parquet file ({' '.join(str(error).split())[:200]})"
        ) from None


def _batches(file: Any, path: Path) -> list[Any]:
    """All rows, texts still in their dictionaries. Raises `DataError` where they come to too much without."""
    batches, size = [], 0
    # A row group at a time: nested columns of several dictionaries do not fit into one batch.
    for group in range(file.metadata.num_row_groups):
        for batch in file.iter_batches(batch_size=_BATCH, row_groups=[group]):
            size += sum(map(measure_unpacked, batch.columns))
            if size > text_file.LARGEST:
                raise _too_large(path)
            batches.append(batch)
    return batches


def _check_said(metadata: Any, path: Path) -> list[str]:
    """The columns of texts and bytes. Raises `DataError` where the file itself says that it is too large."""
    schema = [metadata.schema.column(n) for n in range(metadata.num_columns)]
    size = values = metadata.num_rows
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for place, described in enumerate(schema):
            column = group.column(place)
            fixed = described.length if described.physical_type == "FIXED_LEN_BYTE_ARRAY" else 0
            size += max(column.total_uncompressed_size, fixed * column.num_values)
            values += column.num_values
    if size > text_file.LARGEST:
        raise _too_large(path)
    if values > text_file.MOST_VALUES:
        raise text_file.too_large_error(path, f"has more than {text_file.MOST_VALUES:,} values")
    return [column.path for column in schema if column.physical_type == "BYTE_ARRAY"]


def measure_unpacked(array: Any) -> int:
    """Bytes of an Arrow array once every value stands for itself."""
    import pyarrow
    from pyarrow import compute

    kind = pyarrow.types
    if kind.is_dictionary(array.type):
        lengths = compute.binary_length(array.dictionary)
        return int(compute.sum(lengths.take(array.indices)).as_py() or 0)
    if kind.is_nested(array.type):
        parts = array.flatten()
        return sum(map(measure_unpacked, parts)) if isinstance(parts, list) else measure_unpacked(parts)
    return int(array.nbytes)


def _too_large(path: Path) -> DataError:
    return text_file.too_large_error(path, f"unpacks to more than {text_file.LARGEST / 2**20:,.0f} MiB")
