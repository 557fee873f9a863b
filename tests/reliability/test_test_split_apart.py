"""The test split stays apart: whatever stands in it, every byte that is sent before it is opened is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gpo.config.load import parse_config
from gpo.model import embedder
from gpo.report.data import read_run
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.run.plan import assemble
from gpo.run.watcher import Watcher
from gpo.task.task import Task
from tests.support.landscape import Landscape
from tests.support.server import ModelServer, all_text

from .support import PROMPT, ROWS, configuration

MARK = "SEALED"
Row = dict[str, Any]


class Letters:
    """An embedder that loads nothing: how often each letter stands in a text."""

    name = "letters"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 for each text."""
        counts = [[1.0 + text.count(chr(97 + n)) for n in range(26)] for text in texts]
        return [[value / sum(v * v for v in row) ** 0.5 for value in row] for row in counts]


@pytest.fixture(autouse=True)
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    async def opened(prefer: str | None = None) -> Letters:
        return Letters()

    monkeypatch.setattr(embedder, "open_embedder", opened)


def usual(count: int) -> list[Row]:
    """Test rows like those of the other splits."""
    return [{**row, "input": f"{MARK} {row['input']}"} for row in Landscape().rows(count, 500)]


def other(count: int) -> list[Row]:
    """Test rows of other words, lengths, labels, columns and ids."""
    return [
        {
            "input": f"{MARK} {{input}} {{n}} {n} " + "and so on " * 40,
            "target": "neither" if n % 3 else "True",
            "id": "same",
            "more": "None",
        }
        for n in range(count)
    ]


def as_folder(folder: Path, test: list[Row]) -> dict[str, Any]:
    """A file a split, the keys of the task."""
    known = Landscape().rows(ROWS["train"] + ROWS["dev"])
    folder.mkdir()
    for name, rows in (("train", known[: ROWS["train"]]), ("dev", known[ROWS["train"] :]), ("test", test)):
        lines = [json.dumps({"id": f"{name} {n}", **row}) + "\n" for n, row in enumerate(rows)]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    return {"data": str(folder)}


def as_pool(folder: Path, test: list[Row]) -> dict[str, Any]:
    """One file, which the task divides: rows that land in test are replaced; one row of it repeats another's."""
    counts = {"train": 6, "dev": 8, "format": 3, "test": len(test)}
    rows: list[Row] = [*Landscape().rows(sum(counts.values())), Landscape().rows(1)[0]]
    found = Task.from_rows(rows, split=counts, seed=0)
    places = [int(example.source.split()[-1]) - 1 for example in found.splits.test]
    for place, row in zip(places, test, strict=True):
        rows[place] = row
    folder.mkdir()
    (folder / "all.json").write_text(json.dumps(rows))
    return {"data": str(folder / "all.json"), "split": counts}


async def searched(server: ModelServer, folder: Path, task: dict[str, Any], **sections: Any) -> Result:
    """A run to its end; the server's log is that of this run."""
    server.log.clear()
    config = parse_config(configuration(server.base_url, folder, task=task, **sections))
    made = assemble(config, base_dir=folder)
    return await Run(made, RunDirectory(folder / "run"), use_shared_store=False).execute()


def sent_before(server: ModelServer) -> list[str]:
    """Every request that came before the first about a test row, in an order of its own: calls overtake each other."""
    first = next(n for n, call in enumerate(server.log) if MARK in all_text(call.body))
    assert all(MARK in all_text(call.body) for call in server.log[first:])
    headers = ("User-Agent", "Content-Type", "Content-Length", "Accept", "Authorization")
    return sorted(
        json.dumps([call.path, call.body, {name: call.headers.get(name) for name in headers}])
        for call in server.log[:first]
    )


SHORT = {"epochs": 1, "batch_size": 3, "candidates": 3, "resamples": 1}
LABEL = {"answer": {"kind": "label"}}
TWO_ROUNDS = {"answer": {"kind": "label", "rounds": 2}}
RUNS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gpo": (TWO_ROUNDS, {"method": "gpo"}),
    "demonstrations": ({**LABEL, "demonstrations": 2}, {"method": "gpo"}),
    "reflection": (TWO_ROUNDS, {"method": "pe2"}),
    # The landscape's task model says neither yes nor no.
    "boolean": (
        {"answer": {"kind": "boolean", "rounds": 2}},
        {"method": "opro", "optimize": {**SHORT, "keep_going": True}},
    ),
    "text": ({"answer": {"kind": "text"}, "metric": "rouge_l"}, {"method": "sgdm"}),
    "racing": (LABEL, {"evaluation": "racing", "method": "ape"}),
    "apo-original": (LABEL, {"method": {"name": "apo-original", "rounds": 1}}),
    "opro-original": (LABEL, {"method": {"name": "opro-original", "steps": 2}}),
    "ape-original": (LABEL, {"method": "ape-original"}),
    "pe2-original": (LABEL, {"method": {"name": "pe2-original", "rounds": 1}}),
}


def booleans(test: list[Row]) -> list[Row]:
    return [{**row, "target": ("valid", "invalid")[n % 2]} for n, row in enumerate(test)]


@pytest.mark.parametrize("layout", [as_folder, as_pool])
@pytest.mark.parametrize("case", RUNS)
async def test_all_bytes_until_the_seal_is_opened_are_the_same(
    case: str, layout: Callable[[Path, list[Row]], dict[str, Any]], tmp_path: Path
) -> None:
    task, sections = RUNS[case]
    sent = []
    with ModelServer(answer=Landscape().answer) as server:
        for name, make in (("usual", usual), ("other", other)):
            test = make(ROWS["test"])
            if case == "boolean":
                test = booleans(test) if make is other else test
            folder = tmp_path / name
            keys = layout(folder, test)
            if case == "boolean":
                for file in folder.glob("*.json*"):
                    file.write_text(file.read_text().replace('"left"', '"yes"').replace('"right"', '"no"'))
            await searched(server, folder, {**keys, **task}, **sections)
            sent.append(sent_before(server))
    assert len(sent[0]) > 8
    assert any("<START>" in text for text in sent[0]) or "original" in case
    assert sent[0] == sent[1]
    for word in ("neither", "invalid", "True", MARK):
        assert not any(word in text for text in sent[1])


async def test_a_label_of_the_test_split_alone_is_said_when_it_is_opened(tmp_path: Path) -> None:
    said: list[tuple[int, str]] = []

    class Noting(Watcher):
        def note(self, line: str) -> None:
            said.append((len(server.log), line))

        def step_finished(self, record: Any) -> None: ...

    def answer(body: dict[str, Any]) -> str:
        if MARK in all_text(body):
            return "neither" if " 4 and so on" in all_text(body) else "It is neither, I think."
        return Landscape().answer(body)

    with ModelServer(answer=answer) as server:
        keys = as_folder(tmp_path / "data", other(ROWS["test"]))
        config = parse_config(configuration(server.base_url, tmp_path, task={**keys, **LABEL}))
        made = assemble(config, base_dir=tmp_path)
        assert made.task.answer_choices == ("left", "right")
        directory = RunDirectory(tmp_path / "run")
        result = await Run(made, directory, watcher=Noting(), use_shared_store=False).execute()
        opened = len(sent_before(server))
    ((place, line),) = [one for one in said if "test rows have a label" in one[1]]
    assert place == opened
    assert '10 of 10 test rows have a label that no other split has: "True", "neither"' in line
    assert line in result.extra["warnings"]
    # The reply that is the label and nothing else is right; the others are unreadable.
    assert result.scores.best.test == pytest.approx(0.1)


async def test_listed_labels_are_used_as_they_are_listed(tmp_path: Path) -> None:
    listed = {"answer": {"kind": "label", "labels": ["left", "right", "neither", "True"]}}
    with ModelServer(answer=Landscape().answer) as server:
        keys = as_folder(tmp_path / "data", other(ROWS["test"]))
        result = await searched(server, tmp_path, {**keys, **listed})
        assert any("neither" in text for text in sent_before(server))
    assert not any("test rows have a label" in line for line in result.extra["warnings"])


async def test_a_twin_of_the_target_is_no_placeholder_of_a_candidate(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    first = 0
    for split, count in ROWS.items():
        rows = [
            {**row, "label_text": f"twin-{row['target']}", "n": "7"} for row in Landscape().rows(count, first)
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        first += count

    def answer(body: dict[str, Any]) -> str:
        if "<START>" not in all_text(body):
            return "left"
        return ("<START>Say {label_text} {n} <END>", "<START>Row {n}: which way {input}<END>")[
            body["seed"] % 2
        ]

    with ModelServer(answer=answer, max_choices=1) as server:
        task = {"data": str(folder), **LABEL}
        await searched(server, tmp_path, task, prompt=f"{{n}} {PROMPT}")
        assert not any("twin-" in all_text(call.body) for call in server.log)
    steps = read_run(tmp_path / "run").steps
    reasons = {(item.prompt, item.rejected) for step in steps for item in step.candidates}
    assert ("Say {label_text} {n}", "invents the placeholder {label_text}") in reasons
    # What the initial prompt names, and the input, may stand in a candidate.
    assert ("Row {n}: which way {input}", None) in reasons
