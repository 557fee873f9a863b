"""What a task's `metric_list` says: GPO's metric by its name, and what is taken out of the expected answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gpo.errors import ConfigError

_METRICS = {
    "exact_match": "exact_match",
    "acc": "exact_match",
    "acc_norm": "exact_match",
    "bleu": "bleu",
    "chrf": "chrf",
}


def read_metrics(keys: Mapping[str, Any], source: str) -> tuple[str | None, list[re.Pattern[str]], list[str]]:
    """The first metric that GPO has (None without one), the patterns of `regexes_to_ignore`, and notes. Raises
    `ConfigError`."""
    metrics = keys.get("metric_list") or []
    if not isinstance(metrics, list) or not all(isinstance(one, Mapping) for one in metrics):
        raise ConfigError(f"{source}: metric_list must be a list of mappings, each with a metric")
    ignored = [pattern for one in metrics for pattern in _patterns(one.get("regexes_to_ignore"), source)]
    names = [str(one.get("metric")) for one in metrics]
    found = next((_METRICS[name] for name in names if name in _METRICS), None)
    if names and found is None:
        return None, ignored, [f"the metric {names[0]} is not known here: exact_match"]
    return found, ignored, []


def _patterns(said: Any, source: str) -> list[re.Pattern[str]]:
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise ConfigError(f"{source}: regexes_to_ignore must be a list of texts")
    try:
        return [re.compile(one) for one in said]
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"{source}: regexes_to_ignore is no regular expression ({error})") from None
