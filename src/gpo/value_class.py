"""Classes of values that nobody changes, made several times a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value_class(cls: type[T]) -> type[T]:
    """Make `cls` a dataclass with slots that is frozen for the type checker alone: a class that refuses changes as it
    runs takes four times as long to make an instance."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def keyword_value_class(cls: type[T]) -> type[T]:
    """As `value_class`, with fields that are given by name."""
    return dataclass(slots=True, unsafe_hash=True, kw_only=True)(cls)
