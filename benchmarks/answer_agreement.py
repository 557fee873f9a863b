"""How often the readers of answers agree with a person: `python -m benchmarks.answer_agreement [--misses] [FILE …]`.

Reads the labelled replies (tests/task/labelled/*.jsonl, or the files given) and prints, a file and a kind of answer,
how many replies are read as their label says, how many are left unread though they have an answer, and how many are
read as another answer, which is the worst.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from gpo.task.answer import Prediction, answer_reader, read_reply

FOLDER = Path(__file__).parents[1] / "tests" / "task" / "labelled"
Verdict = Literal["agrees", "unread", "wrong"]


class Reading(NamedTuple):
    """One labelled reply, what is read from it, and how that compares with its label."""

    row: dict[str, Any]
    found: Prediction
    verdict: Verdict


def rows(file: Path) -> list[dict[str, Any]]:
    """The labelled replies of a jsonl file: `kind`, `reply`, `question`, `label` (null: none), `labels` or `words`."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def read(row: dict[str, Any]) -> Reading:
    """Read a reply as a task reads it: the kind, its vocabulary, the question, and whether the reply was cut off."""
    reader = answer_reader(row["kind"], labels=row.get("labels", ()), targets=row.get("words", ()))
    found = read_reply(reader, row["reply"], row["question"], cut=row["finish"] == "length")
    if agrees(found, row["label"]):
        return Reading(row, found, "agrees")
    return Reading(row, found, "unread" if found is None else "wrong")


def agrees(found: Prediction, label: Any) -> bool:
    """Whether what is read is what the label says; numbers to one in a billion."""
    if found is None or label is None:
        return found is label
    if isinstance(found, float):
        return math.isclose(found, label, rel_tol=1e-9)
    return bool((list(found) if isinstance(found, tuple) else found) == label)


def table(named: Iterable[tuple[str, list[Reading]]]) -> Iterator[str]:
    """Lines of a table: name, replies, agreement, unread, wrong; for each file and for the kinds within it."""
    yield f"{'':24}{'replies':>9}{'agree':>8}{'':9}{'unread':>8}{'wrong':>7}"
    for name, readings in named:
        yield _line(name, readings)
        for kind in sorted({reading.row["kind"] for reading in readings}):
            yield _line(f"  {kind}", [reading for reading in readings if reading.row["kind"] == kind])


def _line(name: str, readings: list[Reading]) -> str:
    count = Counter(reading.verdict for reading in readings)
    share = f"({count['agrees'] / len(readings):.1%})"
    return f"{name:24}{len(readings):>9}{count['agrees']:>8} {share:8}{count['unread']:>8}{count['wrong']:>7}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Agreement of the readers of answers with labelled replies.")
    parser.add_argument(
        "files", nargs="*", type=Path, help="jsonl files; tests/task/labelled/*.jsonl if none"
    )
    parser.add_argument(
        "--misses", action="store_true", help="list the replies that are not read as labelled"
    )
    options = parser.parse_args()
    files = options.files or sorted(FOLDER.glob("*.jsonl"))
    named = [(file.stem, [read(row) for row in rows(file)]) for file in files]
    if len(named) > 1:
        named.append(("all", [reading for _, readings in named for reading in readings]))
    print("\n".join(table(named)))
    if options.misses:
        for _, readings in named[: len(files)]:
            for row, found, verdict in readings:
                if verdict != "agrees":
                    print(
                        f"\n{row['id']} ({verdict}): labelled {row['label']!r}, read {found!r}\n{row['reply']}"
                    )


if __name__ == "__main__":
    main()
