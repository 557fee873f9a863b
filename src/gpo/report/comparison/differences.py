"""What configurations differ in: the keys that make runs of one setting, and those whose values are not the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gpo.run.identity.config_diff import HARMLESS, complete_config
from gpo.text import shorten

_PACE = frozenset(path[-1] for path in HARMLESS if path[0] == "models")
"""How fast calls are made, or what they cost: it changes no answer."""
_LONGEST = 120
_NAMES = {"data_digest": "data (digest of its rows)", "columns_digest": "data (digest of its columns)"}
_DIGEST = 10  # characters of it that are shown
_ABSENT = "–"


def name_setting(config: Mapping[str, Any]) -> str:
    """What must be equal for two runs to differ by chance alone: all of the resolved configuration but the seed, with
    the digest of the data. How fast calls were made, or how a role was reached, is left out."""
    kept = {key: value for key, value in complete_config(config).items() if key != "seed"}
    models = kept.get("models")
    if isinstance(models, Mapping):
        kept["models"] = {
            role: {key: value for key, value in own.items() if key not in _PACE}
            for role, own in models.items()
            if isinstance(own, Mapping)
        }
    return json.dumps(kept, sort_keys=True, default=str)


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """The dotted keys whose values are not the same in all of `configs`, each with its value in every one of them."""
    flat = [dict(_flatten(complete_config(config), ())) for config in configs]
    keys = dict.fromkeys(key for values in flat for key in values)
    told = {key: [values.get(key) for values in flat] for key in keys}
    return [
        (_NAMES.get(key, key), [_show(value)[: _DIGEST if key in _NAMES else None] for value in values])
        for key, values in told.items()
        if any(value != values[0] for value in values)
    ]


def _flatten(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(inner, (*path, str(key)))
    else:
        yield ".".join(path), value


def _show(value: Any) -> str:
    if value is None:
        return _ABSENT
    return shorten(value if isinstance(value, str) else json.dumps(value, default=str), _LONGEST)
