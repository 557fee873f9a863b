"""The `tasks` entries of a suite: names, groups of benchmarks, whole task sections. Reads no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpo.errors import ConfigError
from gpo.suites.spec.labels import check_different


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One task of an entry: `name` for people, its `task` section, and `start`, the key `prompt` or `prompts` where it
    begins with other ones than the suite's `base`."""

    name: str
    section: dict[str, Any] = field(hash=False)
    start: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """A column of a table: a task, or a group whose members' scores are averaged. `missing` names the tasks of the
    group that have no rows where they are looked for: they are in no mean."""

    label: str
    members: tuple[Member, ...]
    missing: tuple[str, ...] = ()

    def cut(self, data_dir: Path | None) -> str:
        """What is to be said of missing tasks, one line, "" where there are none."""
        if not self.missing:
            return ""
        have, lack = len(self.members), len(self.missing)
        named = ", ".join(self.missing[:5]) + (f" and {lack - 5} more" if lack > 5 else "")
        return f"{self.label} is the mean of {have} of its {have + lack} tasks: {data_dir} has no rows of {named}"


def expand_tasks(
    values: tuple[str | dict[str, Any], ...], source: str, data_dir: Path | None = None
) -> list[TaskEntry]:
    """All entries in their order; of a group the tasks that `data_dir`, where there is one, has. Raises `ConfigError`
    for one without data and for a label twice."""
    found = [_entry(value, source, data_dir) for value in values]
    check_different([entry.label for entry in found], "tasks", source)
    return found


def _entry(value: str | dict[str, Any], source: str, data_dir: Path | None) -> TaskEntry:
    if isinstance(value, str):
        value = {"data": value}
    section = dict(value)
    label = section.pop("label", None)
    start = {key: section.pop(key) for key in ("prompt", "prompts") if section.get(key) is not None}
    for key, text in (("label", label), ("prompt", start.get("prompt"))):
        if text is not None and not isinstance(text, str):
            raise ConfigError(f"{source}: tasks: {key} is text, not {text!r}")
    data = section.get("data")
    if not data:
        raise ConfigError(f"{source}: tasks: an entry needs data")
    names, missing = find_members(data, source, data_dir) if isinstance(data, str) else ((None,), ())
    return TaskEntry(
        label=label or (data if isinstance(data, str) else "task"),
        members=tuple(
            Member(
                name=name or label or "task",
                section={**section, "data": name} if name else section,
                start=start,
            )
            for name in names
        ),
        missing=missing,
    )


def find_members(
    name: str, source: str, data_dir: Path | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The benchmarks of a group, those in `data_dir` where it is given, and those that it lacks; what is no group is
    its own only member. Raises `ConfigError`."""
    from gpo.task import benchmarks

    if name not in benchmarks.list_groups():
        try:
            if benchmarks.looks_like_benchmark(name):
                benchmarks.find(name)
        except ConfigError as error:
            raise ConfigError(f"{source}: tasks: {str(error).removeprefix('task.data: ')}") from None
        return (name,), ()
    whole = benchmarks.expand(name)
    if data_dir is None:
        return whole, ()
    held = set(benchmarks.list_present(data_dir))
    if found := tuple(member for member in whole if member in held):
        return found, tuple(member for member in whole if member not in held)
    raise ConfigError(f"{source}: tasks: {data_dir} has none of the {len(whole)} tasks of {name}")
