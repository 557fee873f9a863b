"""Puts a task together, from a configuration's section or from Python: rows, columns, reader of answers, metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpo.errors import ConfigError
from gpo.task.answer.structured.reply_format import check_structured
from gpo.task.draw import draw, keeps_mix, name_sizes
from gpo.task.example import Example
from gpo.task.labels import (
    check_gaps,
    leave_out_test,
    restore_whole_labels,
    warn_of_unknown_labels,
)
from gpo.task.load import Loaded, load, load_rows
from gpo.task.metric import imported, metric
from gpo.task.metrics.fit import check_metric, name_metric
from gpo.task.metrics.judge import make_judge
from gpo.task.options import PROGRAM_OPTIONS, Own, Rows, configure
from gpo.task.program.program import AT_ONCE
from gpo.task.splits import Columns, check_splits, make_examples, rules_of
from gpo.task.targets import check_targets, make_reader
from gpo.task.task import Task

if TYPE_CHECKING:
    from gpo.config.task import TaskConfig


def from_config(
    config: TaskConfig,
    *,
    seed: int,
    chat: bool = True,
    base_dir: Path = Path(),
    data_dir: Path | None = None,
) -> Task:
    """See `Task.from_config`."""
    if config.program is not None:
        return _program_from_config(config, seed=seed, chat=chat, base_dir=base_dir, data_dir=data_dir)
    loaded = _loaded(config, seed=seed, base_dir=base_dir, data_dir=data_dir)
    return build(loaded, with_defaults(config, loaded.defaults), seed=seed, chat=chat, base_dir=base_dir)


def _program_from_config(
    config: TaskConfig, *, seed: int, chat: bool, base_dir: Path, data_dir: Path | None
) -> Task:
    from gpo.task.program.build import build_program
    from gpo.task.program.program import make_program

    assert config.program is not None
    run = imported(config.program, base_dir, "task.program")
    program = make_program(run, config.identity, AT_ONCE, "task.program")
    loaded = _loaded(config, seed=seed, base_dir=base_dir, data_dir=data_dir)
    config = with_defaults(config, loaded.defaults)
    return build_program(loaded, program, config, seed=seed, chat=chat, base_dir=base_dir)


def from_rows(rows: Rows, *, name: str = "task", seed: int = 0, chat: bool = True, **options: Any) -> Task:
    """See `Task.from_rows`."""
    config, own = configure(name, options)
    return build(load_rows(rows, name), config, seed=seed, chat=chat, base_dir=Path(), own=own)


def from_program(
    rows: Rows,
    run: Callable[..., Any],
    *,
    name: str = "task",
    identity: str | None = None,
    concurrency: int = AT_ONCE,
    **options: Any,
) -> Task:
    """See `Task.from_program`."""
    from gpo.task.program.build import build_program
    from gpo.task.program.program import make_program

    seed, chat = options.pop("seed", 0), options.pop("chat", True)
    if unknown := [key for key in options if key not in PROGRAM_OPTIONS]:
        from gpo.config.keywords import point_to

        known = ("name", *PROGRAM_OPTIONS)
        raise ConfigError(point_to(unknown[0], "gpo.Task.from_program", known))
    config, own = configure(name, options)
    program = make_program(run, identity, concurrency)
    return build_program(
        load_rows(rows, name), program, config, reader=own.reader, own_metric=own.metric, seed=seed, chat=chat
    )


def from_data(
    data: str | Path | Mapping[str, str | Path],
    *,
    seed: int = 0,
    chat: bool = True,
    base_dir: Path = Path(),
    **options: Any,
) -> Task:
    """See `Task.from_csv`."""
    plain = {str(key): str(value) for key, value in data.items()} if isinstance(data, Mapping) else str(data)
    config, own = configure(plain, options)
    loaded = _loaded(config, seed=seed, base_dir=base_dir, data_dir=None)
    config = with_defaults(config, loaded.defaults)
    return build(loaded, config, seed=seed, chat=chat, base_dir=base_dir, own=own)


def build(
    loaded: Loaded, config: TaskConfig, *, seed: int, chat: bool, base_dir: Path, own: Own | None = None
) -> Task:
    """A task from rows and the keys of the `task` section (`config.data` is not looked at).

    Labels and other words that the reader needs are those of all splits but test.
    """
    own = own or Own()
    kind, listed = config.answer.kind, config.answer.labels
    columns = Columns(config.input, config.target, **rules_of(kind))
    rows, warnings = draw(
        loaded,
        name_sizes(config),
        seed=seed,
        key=None if config.allow_overlap else columns.question,
        label=columns.label if keeps_mix(config) else None,
    )
    found: Mapping[str, Sequence[Example]] = make_examples(rows, columns)
    is_label = kind == "label" and own.reader is None
    if is_label:
        found = restore_whole_labels(found, listed)
    splits, more = check_splits(found, allow_overlap=config.allow_overlap)
    everything = [example for part in found.values() for example in part]
    gaps = check_gaps(everything, kind, listed) if is_label or kind in ("text", "words") else []
    reader = own.reader or make_reader(config.answer, leave_out_test(found))
    unknown = warn_of_unknown_labels(splits.test, reader) if is_label and not listed else []
    grades = metric(own.metric or name_metric(config), base_dir=base_dir, judge=make_judge(config.judge))
    if config.answer.structured:
        check_structured(reader, chat=chat)
    if grades.judge:
        grades.judge.human_scores([*splits.train, *splits.dev])
    check_metric(grades.name, "" if own.reader else kind, everything, own=grades.own is not None)
    return Task(
        name=loaded.name,
        splits=splits,
        answer=reader,
        metric=grades,
        position=config.position,
        frame=config.frame,
        demonstrations=config.demonstrations,
        chat=chat,
        rounds=config.answer.rounds,
        structured=config.answer.structured,
        second_round_tokens=config.answer.second_round_tokens,
        input_columns=columns.inputs,
        question=columns.template,
        warnings=(
            *warnings,
            *more,
            *gaps,
            *check_targets(leave_out_test(found) if unknown else everything, reader, kind),
        ),
        test_warnings=tuple(unknown),
    )


def with_defaults(config: TaskConfig, defaults: Mapping[str, Any]) -> TaskConfig:
    """`config` with the keys that a builtin task or a benchmark brings wherever the configuration does not set
    them itself."""
    from gpo.config.task import AnswerConfig

    changes: dict[str, Any] = {
        key: value
        for key, value in defaults.items()
        if key != "answer" and key not in config.model_fields_set
    }
    if answer := defaults.get("answer"):
        kept = {key: getattr(config.answer, key) for key in config.answer.model_fields_set}
        changes["answer"] = AnswerConfig(**{**answer, **kept})
    return config.model_copy(update=changes)


def _loaded(config: TaskConfig, *, seed: int, base_dir: Path, data_dir: Path | None) -> Loaded:
    data: str | dict[str, str] = config.data if isinstance(config.data, str) else dict(config.data.items())
    return load(data, base_dir=base_dir, seed=seed, split=name_sizes(config), data_dir=data_dir)
