"""Rows of a data frame from whichever library: known by what it can do, so that none of them is imported here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gpo.errors import DataError


def rows_of(table: Any, source: str) -> Iterable[Any]:
    """The rows of `table`, each a mapping of columns: a frame of pandas (and what is like it), of polars (lazy ones
    too), an Arrow table, a `datasets.Dataset`, and any other iterable as it is.

    Raises `DataError`, which begins with `source`, for what has no rows: a mapping, a text, a column alone.
    """
    if isinstance(table, str | bytes | Mapping):
        raise DataError(
            f"{source}: is {type(table).__name__}; give rows, each a mapping of columns, or a data frame"
        )
    _check_columns(table, source)
    if hasattr(table, "features") and hasattr(table, "column_names"):
        return _named_classes(table)
    if isinstance(table, list | tuple):
        return table
    for name, read in _READERS:
        if hasattr(table, name):
            try:
                found: Iterable[Any] = read(table)
            except TypeError as error:
                raise DataError(f"{source}: {type(table).__name__} has no rows ({error})") from None
            return rows_of(found, source)
    if not isinstance(table, Iterable):
        raise DataError(
            f"{source}: {type(table).__name__} has no rows; give a list of mappings, or a data frame"
        )
    return table


# By the method that only such a table has, in an order in which no table is taken for another.
_READERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("collect", lambda table: table.collect()),  # a lazy frame of polars
    ("to_dicts", lambda table: table.to_dicts()),  # polars
    ("to_pylist", lambda table: table.to_pylist()),  # an Arrow table or batch
    ("to_table", lambda table: table.to_table()),  # an Arrow data set
    ("to_dict", lambda table: table.to_dict(orient="records")),  # pandas, and what follows it
)


def _check_columns(table: Any, source: str) -> None:
    """Of two columns with one name every library would keep one, each another."""
    names = getattr(table, "column_names", None)
    if names is None:
        names = getattr(table, "columns", None)
    if names is None or callable(names) or isinstance(table, list | tuple) or hasattr(table, "collect"):
        return
    twice = (
        [name for name, count in Counter(names).items() if count > 1] if isinstance(names, Iterable) else []
    )
    if twice:
        raise DataError(f"{source}: has two columns called {str(twice[0])!a}")


def _named_classes(table: Any) -> Iterator[Any]:
    """The rows of a data set that knows the names of its classes, with the names in place of the numbers."""
    features = table.features or {}
    named = {column: kind.int2str for column, kind in features.items() if hasattr(kind, "int2str")}
    for row in table:
        yield {
            column: named[column](value)
            if column in named and isinstance(value, int) and value >= 0
            else value
            for column, value in row.items()
        }
