"""A cell's value as a person sees it in the table, whatever library it came through."""

from __future__ import annotations

import decimal
import enum
from collections.abc import Mapping
from typing import Any, Final

_WHOLE: Final = 10**15
"""Whole floats below this are written as integers; beyond it neighbouring integers are no longer told apart."""


def read_value(value: Any) -> Any:
    """`value` as Python's own text, number, list or dict: a missing one (None, NaN, NaT, NA) is None, a whole float is
    an int (a column of integers with a gap is one of floats), NumPy's scalars and arrays are Python's, bytes of text
    are text."""
    if isinstance(value, enum.Enum):
        return read_value(value.value)
    if value is None or isinstance(value, str | bool | int):
        return _unwrapped(value)
    if isinstance(value, Mapping):
        return {key: read_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [read_value(part) for part in value]
    if getattr(value, "shape", None) and hasattr(value, "tolist"):  # an array or a series, and no scalar
        return read_value(value.tolist())
    return None if is_missing(value) else _scalar(value)


def is_missing(value: Any) -> bool:
    """Whether a scalar stands for nothing: None, and what is not equal to itself (NaN, NaT) or says neither (NA)."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, decimal.InvalidOperation):  # pandas.NA; a signalling NaN
        return True
    except ValueError:  # has no single truth
        return False


def _scalar(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value))
    if isinstance(value, decimal.Decimal):
        whole = value.is_finite() and abs(value) < _WHOLE and value == value.to_integral_value()
        return int(value) if whole else format(value, "f")
    if kind := getattr(getattr(value, "dtype", None), "kind", None):
        return _numpy(value, str(kind))
    if isinstance(value, float):
        return int(value) if abs(value) < _WHOLE and value.is_integer() else float(value)
    return value


def _numpy(value: Any, kind: str) -> Any:
    """A NumPy scalar by the kind of its type."""
    if kind == "f":  # by its text: a float of 32 bits that shows 0.1 is 0.10000000149… as one of 64
        return _scalar(float(str(value)))
    return str(value) if kind in "mMcV" else _unwrapped(value.item())


def _unwrapped(value: Any) -> Any:
    # NumPy's str is a subclass.
    return str(value) if isinstance(value, str) and type(value) is not str else value


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data
