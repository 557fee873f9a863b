"""DSPy's optimizers and ours on the registered program, in DSPy itself against a server on loopback: counted, capped,
resumed, tabulated."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.server import ModelServer, all_text

pytestmark = [pytest.mark.integrations, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]
dspy = pytest.importorskip("dspy")
pytest.importorskip("optuna")
pytest.importorskip("gepa")

from benchmarks.programs.registered import rows  # noqa: E402

from benchmarks.programs import compare  # noqa: E402

SMALL = ["--train", "8", "--val", "6", "--test", "10", "--calls", "200", "--model", "m", "--writer", "m"]
KNOWN = {row.message: row.queue for part in rows(0, None, train=8, val=6, test=10) for row in part}
QUEUES = ("refund", "delivery", "account", "payment", "product", "feedback")


def answer(body: dict[str, Any]) -> str:
    """Half of the messages are routed right anyhow, the others where instructions say "wisely"; a writer says so."""
    text = all_text(body)
    asked = re.findall(r"Respond with the corresponding output fields, (.*)", text)
    if "<START>" in text:
        return "<START>Route it wisely.<END>"
    if not asked:
        return "```\nRoute it wisely.\n```"
    fields = [name for name in re.findall(r"`\[\[ ## (\w+) ## \]\]`", asked[-1]) if name != "completed"]
    said = []
    for name in fields:
        value = "Route it wisely." if name != "wish" else "something"
        if name == "queue":
            message = re.findall(r"\[\[ ## message ## \]\]\n(.*)", text)[-1]
            known = "wisely" in text or Random(message).random() < 0.5
            right = KNOWN[message]
            value = right if known else QUEUES[(QUEUES.index(right) + 1) % 6]
        said.append(f"[[ ## {name} ## ]]\n{value}\n")
    return "\n".join([*said, "[[ ## completed ## ]]"])


def run(server: ModelServer, folder: Path, *arms: str) -> list[dict[str, Any]]:
    server.answer = answer
    assert compare.main([str(folder), *SMALL, "--base-url", server.base_url, "--arms", *arms]) == 0
    return [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()][1:]


def test_every_arm_is_held_to_the_calls_and_tested_on_the_same_rows(
    tmp_path: Path, server: ModelServer
) -> None:
    arms = ("student", "copro", "mipro-0", "mipro", "gepa", "gpo", "gpo+")
    lines = run(server, tmp_path, *arms)
    assert [line["arm"] for line in lines] == list(arms)
    assert len({tuple(line["test"]) for line in lines}) == 1
    by_arm = {line["arm"]: line for line in lines}
    assert by_arm["student"]["task_calls"] == 0
    assert all(0 < line["task_calls"] <= 200 for line in lines[1:])
    assert all(line["optimizer_calls"] > 0 for line in lines[1:])
    assert all(by_arm[arm]["refused"] == 0 for arm in ("gpo", "gpo+", "copro"))
    start = sum(by_arm["student"]["test"].values())
    assert start < 10
    for arm in set(arms[1:]) - {"gepa"}:
        assert sum(by_arm[arm]["test"].values()) > start, arm


@pytest.mark.parametrize("arm", ["mipro", "gpo+"])
def test_a_run_that_was_stopped_asks_nothing_twice(tmp_path: Path, server: ModelServer, arm: str) -> None:
    (first,) = run(server, tmp_path, arm)
    asked = server.stats.calls
    # Killed before its line was written.
    path = tmp_path / "runs.jsonl"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    (again,) = run(server, tmp_path, arm)
    assert server.stats.calls == asked
    assert again == first
