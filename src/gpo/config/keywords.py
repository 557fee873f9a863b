"""Where a keyword of Python belongs that was given to a function which does not know it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from gpo.config.models import ModelConfig
from gpo.config.schema import BudgetConfig, EditDistanceConfig, MethodConfig, OptimizeConfig
from gpo.config.task import AnswerConfig, TaskConfig

_CLOSE = 0.75
"""Likeness from which a name is taken for a slip of the pen before it is looked for elsewhere."""

# What to write instead, by who takes it; the first place that has a key is named.
_HOMES: tuple[tuple[str, Collection[str], str], ...] = (
    (
        "gpo.optimize",
        ("models", "method", "run_dir", "optimize", "evaluation", "watcher", "progress"),
        "{0}=…",
    ),
    ("gpo.evaluate", ("model", "split"), "{0}=…"),
    ("gpo.optimize", OptimizeConfig.model_fields, 'optimize={{"{0}": …}}'),
    ("budget", BudgetConfig.model_fields, 'budget={{"{0}": …}}'),
    ("gpo.method", MethodConfig.model_fields, "{0}=…"),
    (
        "gpo.Task.from_rows",
        {*TaskConfig.model_fields, "chat", "name"} - {"data", "split", "demonstrations"},
        "{0}=…",
    ),
    ("gpo.Task.from_rows", ("demonstrations",), "{0}=…"),
    ("gpo.Task.from_rows", {*AnswerConfig.model_fields}, 'answer={{"{0}": …}}'),
    ("gpo.optimize", EditDistanceConfig.model_fields, 'optimize={{"edit_distance": {{"{0}": …}}}}'),
    ("models", ModelConfig.model_fields, '{{"model": …, "{0}": …}}'),
)


def point_to(key: str, function: str, known: Collection[str]) -> str:
    """One line about `key`, which `function` (such as "gpo.evaluate") does not take; `known` are those it takes."""
    said = f"{function}: {key!a} is not one of its options"
    if close := get_close_matches(key, known, n=1, cutoff=_CLOSE):
        return f"{said}; did you mean {close[0]}?"
    for owner, keys, form in _HOMES:
        if key in keys:
            return f"{said}; {_write_call(owner, form.format(key), function)}"
    near: Mapping[str, str] = {
        name: _write_call(owner, form.format(name), function)
        for owner, keys, form in reversed(_HOMES)
        for name in keys
    }
    if close := get_close_matches(key, [*known, *near], n=1):
        return f"{said}; did you mean {close[0]}?{'' if close[0] in known else f' Then {near[close[0]]}'}"
    return f"{said}, which are {', '.join(known)}"


def _write_call(owner: str, form: str, function: str) -> str:
    """Where the key stands, in the words of `form`."""
    if owner == "budget":
        return f"write {form}"
    if owner == "models":
        return f"it belongs to a model: write {form} in place of the model's name"
    if owner == function:
        return f"write {form}"
    return f"it belongs to {owner}: {owner}(…, {form})"
