"""The committed summary of a run: figures by room and every survivor with why it survived.

Why stands in `equivalent.py`, or is written into the summary by hand and kept when it is written anew.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.sample import Mutant

SUMMARY = Path(__file__).parent / "summary.json"


def write_summary(sample: Sequence[Mutant], results: Mapping[str, Mapping[str, Any]], command: str) -> str:
    """Write `summary.json` anew and return its figures in a line."""
    reasons = _reasons()
    rooms: dict[str, Counter[str]] = {}
    survivors = []
    for mutant in sample:
        outcome = results[mutant.key]["outcome"]
        rooms.setdefault(mutant.path.split("/")[2], Counter())[outcome] += 1
        if outcome == "survived":
            survivors.append(
                {
                    "where": f"{mutant.path}:{mutant.line}",
                    "operator": mutant.operator.removeprefix("core/"),
                    "before": mutant.before,
                    "after": mutant.after,
                    "why": reasons.get((Path(mutant.path).name, mutant.before, mutant.after), ""),
                }
            )
    total = sum(rooms.values(), Counter[str]())
    killed = total["killed"] + total["timeout"]
    data = {
        "command": command,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "mutants": len(sample),
        "killed": killed,
        "killed_percent": round(100 * killed / len(sample), 1) if sample else None,
        "rooms": {room: dict(sorted(counts.items())) for room, counts in sorted(rooms.items())},
        "survivors": survivors,
    }
    SUMMARY.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    told = sum(bool(item["why"]) for item in survivors)
    return (
        f"{killed} of {len(sample)} killed ({data['killed_percent']} %); of the others {told} are explained and "
        f"{len(survivors) - told} open"
    )


def _reasons() -> dict[tuple[str, str, str], str]:
    """By the name of the file and the line before and after: code moves."""
    old = json.loads(SUMMARY.read_text(encoding="utf-8"))["survivors"] if SUMMARY.exists() else []
    told = {
        (Path(item["where"].rpartition(":")[0]).name, item["before"], item["after"]): item["why"]
        for item in old
        if item["why"]
    }
    return told | EQUIVALENT
