"""The `methods` entries of a suite: names, four parts whose options multiply, published protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from gpo.config.parts import check_part, find_target
from gpo.config.schema import MethodConfig
from gpo.errors import ConfigError
from gpo.optimizer.choose import NAMES
from gpo.optimizer.methods import METHODS
from gpo.optimizer.published.evaluate_only import PROMPTS
from gpo.suites.spec.labels import check_different

PARTS = ("direction", "trajectory", "edit_distance", "refinement")
_SHORT = {
    "prompt": "P",
    "prompt+performance": "P+M",
    "prompt+reflection": "P+R",
    "prompt+performance+reflection": "P+M+R",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodEntry:
    """One method: `value` is what the configuration's `method` says, `parts` the four options where it has them."""

    label: str
    value: str | dict[str, Any]
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is, whatever its label says."""
        if isinstance(self.value, str):
            return self.value
        return str(self.value.get("name") or "-".join(self.parts.values()))

    @property
    def chooses_itself(self) -> bool:
        """Whether it is a published protocol, which compares candidates in a way of its own: racing is not for it."""
        return not self.parts and not self.evaluates_only

    @property
    def is_published(self) -> bool:
        """Whether it is a protocol as its authors run it."""
        return self.chooses_itself and self.name != "gpo+"

    @property
    def evaluates_only(self) -> bool:
        """Whether it is a fixed prompt."""
        return isinstance(self.value, str) and self.value in PROMPTS


def expand_methods(values: tuple[str | dict[str, Any], ...], source: str) -> list[MethodEntry]:
    """All methods of a suite in their order. Raises `ConfigError` for an unknown one and for a label twice."""
    found = [entry for value in values for entry in _entries(value, source)]
    check_different([entry.label for entry in found], "methods", source)
    return found


def part_label(part: str, option: str) -> str:
    """An option of a part as the paper's tables name it."""
    if find_target(part, option):
        return option.partition(":")[2] or option
    return _SHORT.get(option, option) if part == "direction" else option


def _entries(value: str | dict[str, Any], source: str) -> Iterator[MethodEntry]:
    if isinstance(value, str):
        if value not in NAMES:
            raise ConfigError(f"{source}: methods: there is no {value!a}; there are {', '.join(NAMES)}")
        row = METHODS.get(value)
        yield MethodEntry(label=value, value=value, parts=_parts(row.model_dump()) if row else {})
        return
    rest = dict(value)
    label = rest.pop("label", None)
    if label is not None and not isinstance(label, str):
        raise ConfigError(f"{source}: methods: a label is text, not {label!r}")
    if set(rest) == {"name"} and rest["name"] in NAMES:
        (plain,) = _entries(str(rest["name"]), source)
        yield MethodEntry(label=label or plain.label, value=plain.value, parts=plain.parts)
    elif "name" in rest:
        yield MethodEntry(label=label or str(rest["name"]), value=rest)
    else:
        yield from _grid(rest, label, source)


def _grid(value: dict[str, Any], label: str | None, source: str) -> Iterator[MethodEntry]:
    if unknown := [key for key in value if key not in PARTS]:
        raise ConfigError(
            f"{source}: methods: unknown key {unknown[0]!a}; a method has {', '.join(PARTS)} and label"
        )
    if not value:
        raise ConfigError(f"{source}: methods: an entry names a method or some of {', '.join(PARTS)}")
    options = {key: entry if isinstance(entry, list) else [entry] for key, entry in value.items()}
    many = [key for key, entry in options.items() if len(entry) > 1]
    for place, entries in options.items():
        for option in entries:
            try:
                check_part(place, str(option))
            except ValueError as error:
                raise ConfigError(f"{source}: methods: {error}") from None
    for chosen in product(*options.values()):
        parts = dict(zip(options, (str(option) for option in chosen), strict=True))
        told = ", ".join(part_label(key, parts[key]) for key in (many or parts))
        name = f"{label}, {told}" if label and many else label or told
        defaults = MethodConfig().model_dump()
        yield MethodEntry(label=name, value={**defaults, **parts}, parts=_parts({**defaults, **parts}))


def _parts(options: Mapping[str, str]) -> dict[str, str]:
    return {part: part_label(part, options[part]) for part in PARTS}
