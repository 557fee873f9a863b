"""Every allocation rule replayed on scored tables: true gain on held-out rows, and how far dev flatters.

    python -m benchmarks.replay POOL.jsonl|made [--seeds 200] [--calls 300] [--likeness 0] [--rules gpo+ …]
        [--first-seed 0] [--out OUT.json] [--minutes M]

POOL.jsonl is what `benchmarks.replay_pool` wrote. A seed deals the rows of search anew into train and dev and draws the
children; held-out rows are fixed. What is replayed says nothing of what a better parent would have brought up. In
place of a pool `made` (or `made:strong`) plays in made worlds (`proof/worlds.py`), where a better parent does. With
`--out` it goes on where it stopped (OUT.json.lines has the finished searches of each rule and task).
"""

from __future__ import annotations

import argparse
import json
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.proof.deadline import Deadline, add_minutes
from benchmarks.proof.lines import read_lines
from benchmarks.proof.rules import RULES
from benchmarks.proof.table import Replay, ScoredTable
from benchmarks.proof.worlds import WORLDS, MadeReplay, World
from benchmarks.results import code_digest, machine, say
from gpo.errors import ConfigError, GPOError

MADE = "made"
MORE_ROWS_FROM = 1_000


def tables_of(path: Path) -> dict[str, ScoredTable]:
    """The scored table of every task in `path`. A row that failed for one prompt is left out for all. Raises
    `ConfigError` where there is none."""
    try:
        _, *items = read_lines(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(
            f"{path}: is no scored pool ({error}); make one with benchmarks.replay_pool"
        ) from None
    tables = {}
    for task in dict.fromkeys(item["task"] for item in items):
        pool = [item for item in items if item["task"] == task]
        values = np.array(
            [[np.nan if v is None else v for v in item["values"]] for item in pool], dtype=float
        )
        search = int(pool[0]["search"])
        usable = ~np.isnan(values).any(axis=0)
        start = next((i for i, item in enumerate(pool) if item.get("start")), None)
        if start is None:
            raise ConfigError(f"{path}: {task} has no start prompt yet; let benchmarks.replay_pool finish")
        tables[task] = ScoredTable(
            search=values[:, :search][:, usable[:search]],
            held_out=values[:, search:][:, usable[search:]],
            texts=tuple(item["text"] for item in pool),
            start=start,
            labels=_kept(pool[0].get("labels", ()), usable),
            said=[_kept(item["said"], usable) for item in pool if "said" in item],
        )
    return tables


def _kept(values: Sequence[Any], usable: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[Any, ...]:
    return tuple(value for value, use in zip(values, usable, strict=False) if use)


def play(table: ScoredTable, rule: str, seed: int, *, calls: int, likeness: float) -> dict[str, float]:
    """One search: `gain` over the start prompt and `flattering` (dev minus held-out score), in points, and calls.

    The held-out rows may be harder than those of search for all prompts alike: that is no flattery, and taken out."""
    replay = Replay(table, budget=calls, train=table.search.shape[1] // 2, seed=seed, likeness=likeness)
    found = RULES[rule](replay)
    truth = table.held_out.mean(axis=1)
    easier = float(table.search.mean() - table.held_out.mean())
    return {
        "gain": 100 * float(truth[found.prompt] - truth[table.start]),
        "flattering": 100 * float(found.dev - easier - truth[found.prompt]),
        "calls": float(replay.calls),
        "prompts": float(len(replay.drawn)),
    }


def summarise(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> list[dict[str, Any]]:
    """A rule a line, with standard errors over seeds; `over_racing` is the paired difference of gains to the first."""
    first = np.array([run["gain"] for run in next(iter(runs.values()))])
    lines = []
    for rule, found in runs.items():
        gain = np.array([run["gain"] for run in found])
        lines.append(
            {
                "rule": rule,
                "gain": _mean(gain),
                "flattering": _mean(np.array([run["flattering"] for run in found])),
                "over_racing": _mean(gain - first),
                "calls": float(np.mean([run["calls"] for run in found])),
                "prompts": float(np.mean([run["prompts"] for run in found])),
            }
        )
    return lines


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    """Mean and standard error (0 for one value)."""
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return {"mean": float(values.mean()), "se": error}


def markdown(name: str, lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """One task's table."""
    shown = [
        f"\n{name}",
        "| rule | true gain | dev flatters by | over racing | calls | prompts |",
        f"|{' --- |' * 6}",
    ]
    for line in lines:
        cells = [
            f"{line[key]['mean']:+.1f} ± {line[key]['se']:.1f}"
            for key in ("gain", "flattering", "over_racing")
        ]
        shown.append(
            f"| {line['rule']} | {' | '.join(cells)} | {line['calls']:.0f} | {line['prompts']:.0f} |"
        )
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, print, and write where `--out` says."""
    found = _parser().parse_args(arguments)
    kept = Kept(found.out and found.out.with_name(found.out.name + ".lines"), _settings(found))
    deadline = Deadline(found.minutes)
    results: dict[str, Any] = {}
    try:
        if unknown := [rule for rule in found.rules if rule not in RULES]:
            raise ConfigError(f"--rules {unknown[0]}: there is none; there are {', '.join(RULES)}")
        for task, played in _played(found).items():
            runs = {rule: _runs(task, rule, played, found, kept, deadline) for rule in found.rules}
            results[task] = {"rules": summarise(runs)}
            lines = markdown(task, results[task]["rules"])
            print("\n".join(lines), flush=True)
    except GPOError as error:
        say(str(error))
        return error.exit_code
    if found.out:
        found.out.write_text(json.dumps({**kept.head, "tasks": results}, indent=1) + "\n", encoding="utf-8")
        kept.forget()
    return 0


Player = Callable[[str, int], dict[str, float]]
"""From a rule and a seed to what came of the search."""


def _played(found: Namespace) -> dict[str, Player]:
    """What is searched, by name: the tasks of the pool, or made worlds. Raises `ConfigError`."""
    name, _, chosen = str(found.pool).partition(":")
    if name == MADE:
        if chosen and chosen not in WORLDS:
            raise ConfigError(f"{found.pool}: there is none; there are {', '.join(WORLDS)}")
        return {
            world: partial(play_world, WORLDS[world], calls=found.calls, first_seed=found.first_seed)
            for world in ([chosen] if chosen else WORLDS)
        }
    options = {"calls": found.calls, "likeness": found.likeness}
    return {
        f"{task}: {len(table.texts)} prompts": lambda rule, seed, table=table: play(  # type: ignore[misc]
            table, rule, seed + found.first_seed, **options
        )
        for task, table in tables_of(found.pool).items()
    }


def play_world(world: World, rule: str, seed: int, *, calls: int, first_seed: int = 0) -> dict[str, float]:
    """As `play`, in a made world with 24 rows of train and of dev, 48 from 1,000 calls on."""
    rows = 24 if calls < MORE_ROWS_FROM else 48
    replay = MadeReplay(world, budget=calls, train=rows, dev=rows, seed=seed + first_seed)
    found = RULES[rule](replay)
    truth = replay.truths[found.prompt]
    return {
        "gain": 100 * (truth - replay.truths[replay.start]),
        "flattering": 100 * (found.dev - truth),
        "calls": float(replay.calls),
        "prompts": float(len(replay.drawn)),
    }


def _runs(
    task: str, rule: str, played: Player, found: Namespace, kept: Kept, deadline: Deadline
) -> list[dict[str, float]]:
    """The searches of one rule, a seed each."""
    for seed in range(len(kept.of(task, rule)), found.seeds):
        deadline.check()
        kept.add(task, rule, played(rule, seed))
    return kept.of(task, rule)


class Kept:
    """Finished searches by task and rule, in `path` too where there is one: those of an earlier start under the same
    settings, machine and code count, others are forgotten."""

    def __init__(self, path: Path | None, settings: Mapping[str, Any]) -> None:
        command = f"python -m benchmarks.replay {settings['pool']} --seeds {settings['seeds']}"
        self.head = {
            "command": f"{command} --calls {settings['calls']}",
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "code": code_digest(),
            "settings": dict(settings),
        }
        self._path = path
        self._runs: dict[tuple[str, str], list[dict[str, float]]] = {}
        found = read_lines(path) if path and path.exists() else []
        same = ("machine", "code", "settings")
        if found and all(found[0].get(key) == self.head[key] for key in same):
            for item in found[1:]:
                self._runs.setdefault((item["task"], item["rule"]), []).append(item["run"])
        elif path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.head) + "\n", encoding="utf-8")

    def of(self, task: str, rule: str) -> list[dict[str, float]]:
        """The searches by seed."""
        return list(self._runs.get((task, rule), ()))

    def add(self, task: str, rule: str, run: dict[str, float]) -> None:
        """The search of the next seed."""
        self._runs.setdefault((task, rule), []).append(run)
        if self._path:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"task": task, "rule": rule, "run": run}) + "\n")

    def forget(self) -> None:
        """The result is written."""
        if self._path:
            self._path.unlink()


def _settings(found: Namespace) -> dict[str, Any]:
    pool = found.pool
    digest = blake2b(pool.read_bytes(), digest_size=8).hexdigest() if pool.is_file() else ""
    return {"pool": pool.name, "digest": digest, "seeds": found.seeds, "first_seed": found.first_seed,
            "calls": found.calls, "likeness": found.likeness}  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replay", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("pool", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument(
        "--first-seed", type=int, default=0, help="fresh ones check what was chosen on others"
    )
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--likeness", type=float, default=0.0)
    parser.add_argument("--rules", nargs="+", default=list(RULES), help="the first is what is compared with")
    parser.add_argument("--out", type=Path)
    add_minutes(parser)
    return parser
