"""Demonstrations by count and draw, and log-probabilities beside right and wrong."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from benchmarks.proof.covariate import FLOOR, pool, regrets, right_first_token
from benchmarks.proof.shots import main
from benchmarks.proof.tasks import REGISTERED, open_task, rows_of

from tests.benchmarks.proof.support import answer
from tests.support.server import ModelServer


def test_every_count_and_draw_meets_the_same_rows_once(tmp_path: Path, server: ModelServer) -> None:
    server.answer = answer
    out = tmp_path / "shots.jsonl"
    command = [str(tmp_path), str(out), "--base-url", server.base_url, "--model", "m", "--rows", "5"]
    assert main([*command, "--counts", "0", "4"]) == 0
    # No demonstrations are drawn once, four of them twice.
    assert server.stats.calls == (1 + 2) * 5
    bodies = [call.body["messages"] for call in server.log]
    assert sorted(len(messages) for messages in bodies) == 5 * [1] + 10 * [9]
    assert len({messages[-1]["content"] for messages in bodies}) == 5
    _, *lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["prompt"] for line in lines] == ["hint + 0 (0)", "hint + 4 (0)", "hint + 4 (1)"]
    assert main([*command, "--counts", "0", "4", "8", "--draws", "1"]) == 0
    assert server.stats.calls == (1 + 2 + 1) * 5, "what is measured is not asked again"


def test_words_that_no_fixed_prompt_has_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        str(tmp_path),
        str(tmp_path / "out.jsonl"),
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--model",
        "m",
    ]
    assert main([*arguments, "--words", "nothing"]) == 2
    assert "--words nothing: there is no fixed prompt of that name" in capsys.readouterr().err


def test_a_right_reply_may_begin_in_several_ways() -> None:
    likeliest = [
        {"token": " Ref", "logprob": math.log(0.5)},
        {"token": "refund", "logprob": math.log(0.25)},
        {"token": "del", "logprob": math.log(0.2)},
        {"token": " ", "logprob": math.log(0.05)},
    ]
    assert right_first_token(likeliest, "Refund") == pytest.approx(math.log(0.75))
    assert right_first_token(likeliest, "account") == FLOOR


def test_the_pool_has_no_prompt_twice_and_starts_with_the_given_one() -> None:
    task = open_task("tickets", None)
    rows = rows_of(task).search
    found = pool(task, REGISTERED["tickets"].start, rows, 12, 16)
    assert len({(prompt.text, prompt.demos) for prompt in found}) == 12
    assert found[0].text == REGISTERED["tickets"].start
    assert {len(prompt.demos) for prompt in found} == {0, 4, 8}


def test_a_surer_signal_chooses_better() -> None:
    """The second prompt is right on 3 of 4 rows, the first on 1; only the log-probability says so every time."""
    right = np.array([[1.0, 0, 0, 0] * 10, [0.0, 1, 1, 1] * 10])
    sure = np.array([40 * [-2.0], 40 * [-1.0]])
    found = regrets(right, sure, 4)
    assert found["log-probability"][0] == pytest.approx(75, abs=1)
    assert found["right or wrong"][0] < found["log-probability"][0] - 1
