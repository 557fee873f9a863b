"""The pool of prompts for the replay: from all methods, each once, scored once."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.proof.fixed import FixedPrompt
from benchmarks.proof.pool import merge
from benchmarks.proof.replay import tables_of
from benchmarks.replay_pool import main

from tests.benchmarks.proof.support import answer
from tests.support.server import ModelServer


def test_methods_take_turns_and_no_text_comes_twice() -> None:
    fixed = [FixedPrompt(name="empty", text=""), FixedPrompt(name="think", text="Think hard.")]
    pool = merge(fixed, {"gpo": ["think  HARD.", "a", "b"], "ape": ["c", "A"], "apo": []}, 5)
    assert [(source, prompt.text) for source, prompt in pool] == [
        ("fixed", ""),
        ("fixed", "Think hard."),
        ("ape", "c"),
        ("gpo", "a"),
        ("gpo", "b"),
    ]


def test_a_pool_is_scored_once_and_can_be_replayed(tmp_path: Path, server: ModelServer) -> None:
    server.answer = answer
    out = tmp_path / "pool.jsonl"
    command = [str(tmp_path), str(out), "--tasks", "tickets", "--prompts", "16", "--rows", "20"]
    command += ["--base-url", server.base_url, "--model", "m"]
    assert main(command) == 0
    head, *items = [json.loads(line) for line in out.read_text().splitlines()]
    assert head["settings"]["rows"] == 20
    assert len(items) == 16
    assert len({item["source"] for item in items}) == 7
    assert all(len(item["values"]) == 20 for item in items)
    assert [item["text"] for item in items if item["start"]] == ["What is this message about?"]

    calls = server.stats.calls
    out.write_text("\n".join(json.dumps(item) for item in (head, *items[:10])) + "\n")
    assert main(command) == 0
    assert server.stats.calls - calls == 6 * 20, "what is known is not asked again"
    again = [json.loads(line) for line in out.read_text().splitlines()]
    assert again[1:] == items

    table = tables_of(out)["tickets"]
    assert table.search.shape == table.held_out.shape == (16, 10)
