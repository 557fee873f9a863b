"""The headroom screen: what it asks, what it says, and that it goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.proof.headroom import main, summarise, table

from tests.benchmarks.proof.support import answer
from tests.support.server import ModelServer


def _command(server: ModelServer, folder: Path, out: Path, *more: str) -> list[str]:
    return [str(folder), str(out), "--base-url", server.base_url, "--model", "m", "--tasks", "tickets", *more]


def test_the_screen_asks_every_prompt_on_the_same_rows_once(tmp_path: Path, server: ModelServer) -> None:
    server.answer = answer
    out = tmp_path / "headroom.json"
    assert main(_command(server, tmp_path, out, "--rows", "5")) == 0
    assert server.stats.calls == 6 * 5
    bodies = [call.body for call in server.log]
    assert {body["max_tokens"] for body in bodies} == {16}
    # Only the last of the six has demonstrations: four worked examples before the question.
    assert sorted({len(body["messages"]) for body in bodies}) == [1, 9]
    asked = {body["messages"][-1]["content"].splitlines()[0] for body in bodies}
    assert len(asked) == 5
    shown = {m["content"].splitlines()[0] for b in bodies for m in b["messages"][:-1] if m["role"] == "user"}
    assert len(shown) == 4
    assert not shown & asked, "no prompt is scored on a row that it shows"

    kept = json.loads(out.read_text())
    assert {"command", "date", "machine", "settings"} <= kept.keys()
    (task,) = kept["tasks"]
    for prompt, measured in zip(task["prompts"], kept["measurements"], strict=True):
        assert prompt["mean"] == sum(measured["values"]) / 5

    assert main(_command(server, tmp_path, out, "--rows", "5")) == 0
    assert server.stats.calls == 6 * 5, "a finished screen asks nothing"


def test_a_stopped_screen_goes_on(
    tmp_path: Path, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = answer
    out = tmp_path / "headroom.json"
    main(_command(server, tmp_path, out, "--rows", "3"))
    whole = json.loads(out.read_text())
    head = {key: value for key, value in whole.items() if key not in ("tasks", "measurements")}
    out.unlink()
    lines = [json.dumps(item) for item in (head, *whole["measurements"][:4])]
    # The fifth line was being written when the process was killed.
    (tmp_path / "headroom.json.lines").write_text("\n".join(lines) + '\n{"task": "tick')
    before = server.stats.calls
    assert main(_command(server, tmp_path, out, "--rows", "3")) == 0
    assert server.stats.calls - before == 2 * 3
    assert json.loads(out.read_text())["tasks"] == whole["tasks"]

    assert main(_command(server, tmp_path, out, "--rows", "4")) == 1
    assert "was measured under other settings" in capsys.readouterr().err


def test_the_spread_is_that_of_readable_prompts() -> None:
    items = [
        {"task": "tickets", "prompt": "a", "values": [0, 0, 0, 0], "unreadable": 3},
        {"task": "tickets", "prompt": "b", "values": [1, 0, 0, 0], "unreadable": 1},
        {"task": "tickets", "prompt": "c", "values": [1, 1, 1, None], "unreadable": 0},
        {"task": "wsc", "prompt": "a", "values": [1, 0, 0, 0], "unreadable": 0},
    ]
    tickets, wsc = summarise(items)
    assert tickets["spread"] == 0.75
    assert tickets["headroom"]
    assert wsc["spread"] is None
    assert tickets["prompts"][2]["failed"] == 1
    # Wilson, 1 of 4 at 95 %: (1/4 + 1.9207/4 ± 1.96 √(3/64 + 0.2401/4)) / (1 + 3.8415/4) = 0.0456 to 0.6994.
    assert tickets["prompts"][1]["low"] == pytest.approx(0.0456, abs=1e-4)
    assert tickets["prompts"][1]["high"] == pytest.approx(0.6994, abs=1e-4)
    assert table([tickets])[2].endswith("| 75 |")


def test_an_unknown_task_is_one_line(
    tmp_path: Path, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*_command(server, tmp_path, tmp_path / "o.json"), "nonsense"]) == 2
    assert "--tasks nonsense: is not registered" in capsys.readouterr().err
