"""Puts a program's task together: its rows, how they are shown to the optimizer model, and its metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpo.errors import ConfigError
from gpo.task.answer import AnswerReader
from gpo.task.draw import draw, keeps_mix, name_sizes
from gpo.task.example import Example, Target
from gpo.task.files.cell import read_value
from gpo.task.files.rows import Row
from gpo.task.labels import leave_out_test, warn_of_unknown_labels
from gpo.task.load import Loaded
from gpo.task.metric import Metric, call_own, imported, metric
from gpo.task.metrics.fit import check_metric, name_metric
from gpo.task.metrics.judge import make_judge
from gpo.task.program.own_work import check_row
from gpo.task.program.program import Program, ProgramMetric, frozen_row
from gpo.task.prompt import find_placeholders
from gpo.task.splits import Columns, check_splits, make_examples, render_cell, rules_of
from gpo.task.targets import check_targets, make_reader
from gpo.task.task import Task

if TYPE_CHECKING:
    from gpo.config.task import TaskConfig

TARGETS = ("target", "answer")
"""Columns that are taken for the expected answer where none is named and every row has one."""


@dataclass(frozen=True, slots=True)
class ProgramColumns(Columns):
    """Where a program's row holds what a person and the optimizer model are shown. `target` may be "": there is none.
    Where `graded` by the user's own function the target is any value, and shown as text."""

    graded: bool = True

    def expected(self, row: Row) -> Target:
        """The target as it is shown, "" where there is none."""
        if not self.target:
            return ""
        if not self.graded:
            return Columns.expected(self, row)
        value = read_value(row.values.get(self.target))
        return value if isinstance(value, float) else render_cell(value)


def choose_columns(
    rows: Sequence[Row], input: str | None, target: str | None, *, kind: str, graded: bool
) -> ProgramColumns:
    """The columns that are named, or those that rows without any are shown by: `input`, else all but the target; `kind`
    is that of the answers."""
    common = [name for name in rows[0].values if all(name in row.values for row in rows)] if rows else []
    if target is None:
        target = next((name for name in TARGETS if name in common), "")
    if input is None:
        others = [name for name in common if name != target and find_placeholders(f"{{{name}}}") == (name,)]
        input = "input" if "input" in common else "\n".join(f"{name}: {{{name}}}" for name in others)
    if not input:
        raise ConfigError(
            "input: the rows have no column in common to show; name one, or a template of columns"
        )
    return ProgramColumns(input, target, graded=graded, **rules_of(kind))


def build_program(
    loaded: Loaded,
    program: Program,
    config: TaskConfig,
    *,
    reader: AnswerReader | None = None,
    own_metric: Any = None,
    seed: int,
    chat: bool = True,
    base_dir: Path = Path(),
) -> Task:
    """The task of `program` on the rows of `loaded`, as `config` says where it says anything; `reader` and `own_metric`
    are objects in place of its keys. Raises `ConfigError`, and `DataError` naming the row."""
    said, kind = config.model_fields_set, config.answer.kind
    if config.answer.structured:
        raise ConfigError(
            "task.answer.structured: has no meaning with task.program; a program asks for a form itself, with "
            "model(…, response_format=…)"
        )
    grades = choose_metric(name_metric(config) if own_metric is None else own_metric, config, base_dir)
    every = [row for part in loaded.splits.values() for row in part] or list(loaded.pool or ())
    columns = choose_columns(
        every,
        config.input if "input" in said else None,
        config.target if "target" in said else None,
        kind=kind,
        graded=grades.own is not None,
    )
    if grades.own is None and not columns.target:
        raise ConfigError(
            f"task.metric: {grades.name} compares with the expected answer, and no row has one; name its column with "
            "target, or give metric a function of (output, row)"
        )
    rows, warnings = draw(
        loaded,
        name_sizes(config),
        seed=seed,
        key=None if config.allow_overlap else columns.question,
        label=columns.label if keeps_mix(config) and columns.target else None,
    )
    examples = make_examples(rows, columns)
    found: dict[str, list[Example]] = {
        name: [
            replace(one, row=frozen_row(row.values)) for one, row in zip(examples[name], part, strict=True)
        ]
        for name, part in rows.items()
    }
    splits, more = check_splits(found, allow_overlap=config.allow_overlap)
    everything = [example for part in found.values() for example in part]
    if program.identity:
        for example in everything:
            check_row(example)
    answer = reader or make_reader(config.answer, leave_out_test(found))
    unknown: list[str] = []
    if grades.own is None:
        if kind == "label" and reader is None and not config.answer.labels:
            unknown = warn_of_unknown_labels(splits.test, answer)
        more += check_targets(leave_out_test(found) if unknown else everything, answer, kind)
    if grades.judge:
        grades.judge.human_scores([*splits.train, *splits.dev])
    check_metric(grades.name, "" if reader else kind, everything, own=grades.own is not None)
    return Task(
        name=loaded.name,
        splits=splits,
        answer=answer,
        metric=grades,
        input_columns=columns.inputs,
        question=columns.template,
        chat=chat,
        program=program,
        warnings=(*warnings, *more),
        test_warnings=tuple(unknown),
    )


def choose_metric(chosen: Any, config: TaskConfig, base_dir: Path) -> Metric:
    """The metric of a program: by its name, or a function of (output, row). Raises `ConfigError`."""
    if isinstance(chosen, str) and ":" in chosen:
        return call_own(ProgramMetric(imported(chosen, base_dir), chosen), lambda output: output)
    if isinstance(chosen, str | Metric):
        return metric(chosen, base_dir=base_dir, judge=make_judge(config.judge))
    if not callable(chosen):
        raise ConfigError("task.metric: must be a name, or a function of (output, row)")
    name = getattr(chosen, "__qualname__", type(chosen).__name__)
    return call_own(ProgramMetric(chosen, name), lambda output: output)
