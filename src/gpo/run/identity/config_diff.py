"""What differs between the configuration of a run and the one it is to be continued with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gpo.config.masking import mask_config

HARMLESS = (
    ("models", "*", "concurrency"),
    ("models", "*", "requests_per_minute"),
    ("models", "*", "tokens_per_minute"),
    ("models", "*", "timeout"),
    ("models", "*", "api_key_env"),
    ("models", "*", "price"),
    ("models", "*", "retries"),
    ("models", "*", "retry_delay"),
    ("budget",),
    ("optimize", "keep_going"),
)
"""Keys (and all below them) that may change between a run and its continuation."""

LATER = (
    ("columns_digest",),
    ("metric_code",),
    ("helper_code",),
    ("part_code",),
    ("template_digest",),
    ("task_object", "frame"),
)
"""Beside the configuration: what a run of an older GPO does not say of itself cannot be compared."""

_ABSENT = object()


def changed_keys(recorded: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """The dotted keys whose values differ, each with both values where they are short, `HARMLESS` ones left
    out. Both are resolved configurations as JSON has them (tuples count as lists). Of addresses what is masked is not
    compared: another password makes no other run."""
    before, after = (json.loads(json.dumps(mask_config(config))) for config in (recorded, current))
    return list(_differences(before, after, ()))


def complete_config(recorded: Mapping[str, Any]) -> Mapping[str, Any]:
    """`recorded` with the defaults of keys that came into the schema later, which is what it ran with; unchanged
    where it does not fit the schema."""
    from pydantic import ValidationError

    from gpo.config.schema import Config

    names = Config.model_fields
    known = {key: value for key, value in recorded.items() if key in names}
    known.setdefault("layout", 1)  # GPO 0.1.0 had one, and did not say so
    own_method = isinstance(known.get("method"), list)  # the types of own objects, see `recorded_config`
    try:
        resolved = Config.model_validate({**known, "method": "gpo"} if own_method else known).model_dump(
            mode="json"
        )
    except ValidationError:
        return recorded
    return {**recorded, **resolved, **({"method": known["method"]} if own_method else {})}


def _differences(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[str]:
    if any(_matches(pattern, path) for pattern in HARMLESS) or (before is _ABSENT and path in LATER):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, key))
    elif before != after:
        yield ".".join(path) + _show_change(before, after)


def _matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(
        want in ("*", have) for want, have in zip(pattern, path, strict=True)
    )


def _show_change(before: Any, after: Any) -> str:
    texts = ["absent" if value is _ABSENT else json.dumps(value) for value in (before, after)]
    return f" (was {texts[0]}, now {texts[1]})" if all(len(text) <= 40 for text in texts) else ""
