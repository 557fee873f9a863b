"""Every allocation rule replayed on scored tables: true gain on held-out rows, and how far dev flatters.

    python -m benchmarks.replay POOL.jsonl [--seeds 200] [--calls 300] [--likeness 0] [--out OUT.json]

POOL.jsonl is what `benchmarks.replay_pool` wrote. A seed deals the rows of search anew into train and dev and draws the
children; held-out rows are fixed. What is replayed says nothing of what a better parent would have brought up.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.proof.lines import read_lines
from benchmarks.proof.rules import RULES
from benchmarks.proof.table import Replay, ScoredTable
from benchmarks.results import code_digest, machine, say
from gpo.errors import ConfigError, GPOError


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
        )
    return tables


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
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replay", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("pool", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--likeness", type=float, default=0.0)
    parser.add_argument("--out", type=Path)
    found = parser.parse_args(arguments)
    try:
        tables = tables_of(found.pool)
    except GPOError as error:
        say(str(error))
        return error.exit_code
    results: dict[str, Any] = {}
    for task, table in tables.items():
        runs = {
            rule: [
                play(table, rule, seed, calls=found.calls, likeness=found.likeness)
                for seed in range(found.seeds)
            ]
            for rule in RULES
        }
        results[task] = {"prompts": len(table.texts), "rules": summarise(runs)}
        print("\n".join(markdown(f"{task}: {len(table.texts)} prompts", results[task]["rules"])), flush=True)
    if found.out:
        settings = {"seeds": found.seeds, "calls": found.calls, "likeness": found.likeness}
        command = f"python -m benchmarks.replay {found.pool.name} --seeds {found.seeds} --calls {found.calls}"
        head = {
            "command": command,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "code": code_digest(),
            "settings": settings,
        }
        found.out.write_text(json.dumps({**head, "tasks": results}, indent=1) + "\n", encoding="utf-8")
    return 0
