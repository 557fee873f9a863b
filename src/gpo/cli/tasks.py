"""`gpo tasks list|show`: the tasks and benchmarks that are known by name. Fetches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from gpo.task.benchmarks import Benchmark
    from gpo.task.files.rows import Row

app = typer.Typer(help="Tasks and benchmarks by name.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_() -> None:
    """The tasks that GPO brings, and the benchmarks in their groups."""
    from gpo.cli.shared.common import say_next, wrap
    from gpo.task import benchmarks
    from gpo.task.builtin import describe, list_names

    print("Tasks that GPO brings")
    for name in list_names():
        _line(f"gpo/{name}", describe(name))
    groups = benchmarks.list_groups()
    print("\n" + wrap("Benchmarks (rows from --data-dir or $GPO_DATA_DIR, else from the Hugging Face hub)"))
    _line("bbh/TASK", f"BIG-Bench Hard: {len(groups['bbh'])} tasks")
    _members(groups["bbh"])
    _line("mmlu/SUBJECT", f"Multiple-choice exams: {len(groups['mmlu'])} subjects")
    for group, members in groups.items():
        if group.startswith("mmlu/"):
            _members(members, lead=f"{group.removeprefix('mmlu/')}: ")
    for name in benchmarks.list_names():
        if "/" not in name:
            _line(name, benchmarks.find(name).description)
    _line(
        "hf:org/name", "Any data set on the Hugging Face hub made of files of rows (task.input, task.target)"
    )
    print("\nGroups, for gpo bench")
    for group, members in groups.items():
        _line(group, f"{len(members)} tasks" if len(members) > 4 else ", ".join(members))
    say_next("gpo tasks show NAME    sizes and rows of one", "task: {data: NAME} in a gpo.yaml")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name from the list; gpo/ may be left out.")],
    rows: Annotated[
        Optional[int],
        typer.Option(
            min=0, help="How many train rows to show; if not given, 3 for GPO's own tasks and 1 for others."
        ),
    ] = None,
    data_dir: Annotated[
        Optional[Path],
        typer.Option(metavar="DIR", help="Where the rows of benchmarks lie; $GPO_DATA_DIR if not given."),
    ] = None,
) -> None:
    """Sizes, settings and a few rows of a task."""
    from gpo import paths
    from gpo.task import benchmarks
    from gpo.task.builtin import list_names

    if name.removeprefix("gpo/") in list_names():
        _show_builtin(name.removeprefix("gpo/"), 3 if rows is None else rows)
    elif name in benchmarks.list_groups():
        _show_group(name, data_dir or paths.data_dir())
    elif name in benchmarks.list_names():
        _show_benchmark(benchmarks.find(name), 1 if rows is None else rows, data_dir or paths.data_dir())
    else:
        _refuse(name)


def _refuse(name: str) -> None:
    """Raise the `ConfigError` that says which name is closest."""
    from difflib import get_close_matches

    from gpo.errors import ConfigError
    from gpo.task import benchmarks
    from gpo.task.builtin import list_names

    if name.startswith("hf:"):
        raise ConfigError(f"{name!a}: data sets of the hub are not listed here; a run reads them")
    if benchmarks.looks_like_benchmark(name):
        benchmarks.find(name)
    known = {
        text.lower(): text for text in (*benchmarks.list_groups(), *benchmarks.list_names(), *list_names())
    }
    if close := get_close_matches(name.lower(), known, n=1):
        raise ConfigError(
            f"no task is called {name!a}; did you mean {known[close[0]]}? (gpo tasks list has all)"
        )
    raise ConfigError(f"no task is called {name!a}; gpo tasks list has all")


def _show_builtin(name: str, rows: int) -> None:
    from gpo.task.builtin import describe, load

    splits, defaults = load(name, seed=0, split=None)
    print(f"gpo/{name}: {describe(name)}")
    _fact("rows", _sizes({split: len(items) for split, items in splits.items()}))
    for key, value in defaults.items():
        # Not a default: a run begins with the prompt of its configuration.
        _fact("begin with" if key == "prompt" else key, _setting(value))
    _rows(splits["train"][:rows])


def _show_group(name: str, data_dir: Path | None) -> None:
    from gpo.task import benchmarks

    members = benchmarks.expand(name)
    print(f"{name}: {len(members)} tasks, for gpo bench; a run has one of them.")
    _fact("rows", _sizes(_sums(benchmarks.find(member).sizes for member in members)))
    if data_dir is not None:
        held = [member for member in members if benchmarks.find_folder(member, data_dir)]
        _fact("here", f"{len(held)} of {len(members)} in {data_dir}")
    print()
    for member in members:
        _line(member, benchmarks.find(member).description, width=max(map(len, members)))


def _show_benchmark(benchmark: Benchmark, rows: int, data_dir: Path | None) -> None:
    from gpo.task import benchmarks
    from gpo.task.load import read_folder

    print(f"{benchmark.name}: {benchmark.description}")
    _fact("rows", _sizes(benchmark.sizes))
    for key, value in benchmark.defaults().items():
        _fact(key, _setting(value))
    _fact("home", f"Hugging Face, {benchmark.home}")
    _fact("licence", benchmark.licence)
    if benchmark.note:
        _fact("note", benchmark.note)
    place = benchmarks.find_folder(benchmark.name, data_dir)
    if place is None:
        way = f"{data_dir} has none" if data_dir else "the first run fetches them, or give --data-dir DIR"
        way += f" (files: DIR/{benchmark.name}/train.jsonl, dev.jsonl, test.jsonl)"
        _fact("here", f"no rows yet; {way}")
        return
    splits = read_folder(place)
    _check_columns(splits, place)
    _fact("here", f"{place} ({_sizes({split: len(items) for split, items in splits.items()})})")
    _rows([row.values for row in next(iter(splits.values()), [])[:rows]])


def _check_columns(splits: Mapping[str, Sequence[Row]], place: Path) -> None:
    """Raise the `DataError` that names the first row without the columns that rows of a benchmark have."""
    from gpo.errors import DataError

    for row in (row for rows in splits.values() for row in rows):
        missing = [key for key in ("input", "target") if key not in row.values]
        if missing:
            has = ", ".join(ascii(str(key)) for key in list(row.values)[:10]) or "none"
            raise DataError(
                f"{row.source}: has no column {missing[0]!a}, only {has}; name the columns of files in {place} input "
                "and target, or run them as data of your own: task.data, task.input and task.target"
            )


def _rows(rows: Iterable[Mapping[str, Any]]) -> None:
    from gpo.text import printable

    for row in rows:
        target = row["target"]
        references = target if isinstance(target, list) else [target]
        print()
        print(printable(str(row["input"]), newlines=True))
        for reference in references:
            print(f"→ {printable(str(reference))}")


def _sizes(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{split} {size:,}" for split, size in sizes.items())


def _sums(sizes: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in sizes:
        for split, size in each.items():
            total[split] = total.get(split, 0) + size
    return total


def _setting(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_setting(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "|".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(name: str, text: str, width: int = 29) -> None:
    from gpo.cli.shared.common import wrap

    print(wrap(f"  {name:<{width}}  {text}", indent=width + 4))


def _fact(name: str, text: str) -> None:
    from gpo.cli.shared.common import wrap

    print(wrap(f"  {name:<14} {text}", indent=17))


def _members(members: Sequence[str], lead: str = "") -> None:
    from gpo.cli.shared.common import wrap

    listing = ", ".join(member.partition("/")[2] for member in members)
    print(wrap(f"      {lead}{listing}", indent=8 if lead else 6))
