"""Refuses what a suite cannot mean: keys that it decides itself, labels that stand for two things in its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpo.config.load import at_line
from gpo.config.schema import Config
from gpo.errors import ConfigError
from gpo.suites.spec.methods import MethodEntry
from gpo.suites.spec.overlay import Composed
from gpo.suites.spec.suite import Suite

AVERAGE = "Average"
"""The label of the column with the mean over columns."""


def refuse_own(suite: Suite, part: Composed, slot: tuple[str, ...]) -> None:
    """Raise the `ConfigError` for a key that the suite decides itself."""
    for key, where in (("seed", "seeds"), ("method", "methods")):
        if key in part.data:
            line = part.lines.get((key,), suite.lines.get(slot))
            raise ConfigError(
                f"{at_line(suite.source, line)}: {'.'.join((*slot, key))}: in a suite that stands in {where}"
            )


def check_program(suite: Suite, config: Config, method: MethodEntry) -> None:
    """Raise the `ConfigError` for a trial of a program or of several prompts that `method`, or the suite's budget,
    cannot be meant for."""
    program, several = config.task.program, len(config.prompts or ())
    if not program and not several:
        return
    what = f"task.program {program}" if program else "prompts"
    if method.evaluates_only:
        raise ConfigError(
            f"{at(suite, 'methods')}: methods: {method.name} evaluates a prompt of its own, which is none of {what}; "
            "leave it out"
        )
    if several > 1 and method.is_published:
        raise ConfigError(
            f"{at(suite, 'methods')}: methods: {method.name} knows one prompt, and {what} has {several}; use gpo "
            "or gpo+"
        )
    budget = suite.config.budget
    if program and budget.equal and (budget.max_tokens or not config.task.identity):
        raise ConfigError(
            f"{at(suite, 'budget')}: budget.equal: what a run of {what} asks for is known once it has been made; leave "
            "equal out, and the cap still holds for each run"
        )


def check_labels(suite: Suite, labels: Sequence[Mapping[str, str]]) -> list[str]:
    """What is to be said of a name that means nothing in the table, whose slots have these `labels` by dimension.
    Raises `ConfigError` for one that would mean two things."""
    section = suite.config.table
    if section.average and any(label[section.columns[0]] == AVERAGE for label in labels):
        raise ConfigError(
            f"{at(suite, 'table')}: table.average: a {section.columns[0]} is called {AVERAGE} as the column of the "
            "mean; give it another label"
        )
    rows = list(dict.fromkeys(label[section.rows] for label in labels))
    if section.ours in rows or "ours" not in section.model_fields_set:
        return []
    # No mistake where methods were left out with --set: the others can be compared all the same.
    return [
        f"table.ours: there is no row {section.ours}, so each of {', '.join(rows)} may be the best baseline"
    ]


def at(suite: Suite, key: str) -> str:
    """The suite's file, with the line of one of its outermost keys."""
    return at_line(suite.source, suite.lines.get((key,)))
