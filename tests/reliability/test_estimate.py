"""Estimates of the methods: what a real run uses on the loopback server stays within them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gpo.config.published import ApeConfig, ApoConfig, OproConfig, Pe2Config, PublishedConfig
from gpo.optimizer.calls import Calls, Sizes
from gpo.optimizer.choose import PublishedMethod
from gpo.run.estimate.estimate import RoleEstimate, estimate, scoring_rounds
from tests.support.landscape import Landscape
from tests.support.server import ModelServer, all_text

from .support import landscape_server, plan, run, write_rows

SMALL: list[dict[str, Any]] = [
    {"name": "gpo+", "budget": 60},
    {"name": "gpo+", "budget": 150, "reflection": False, "signal": True},
    {"name": "ape-original", "subsets": 2, "samples": 3, "examples": 4, "rounds": 2, "rewrites": 2},
    {"name": "ape-original", "subsets": 2, "samples": 4, "selection": "ucb", "bandit_rounds": 3, "rounds": 1,
     "bandit_prompts": 3, "bandit_samples": 4, "rewrites": 2},
    {"name": "opro-original", "steps": 4, "samples": 3, "threshold": 0},
    {"name": "pe2-original", "rounds": 2, "beam": 2, "proposals": 2},
    {"name": "pe2-original", "rounds": 2, "beam": 2, "proposals": 2, "history": True, "backtracking": False},
    *(
        {"name": "apo-original", "rounds": 2, "beam": 2, "minibatch": 4, "groups": 2, "errors": 2, "expansion": 3,
         "bandit_rounds": 2, "bandit_prompts": 3, "bandit_samples": 5, "selection": kind}
        for kind in ("ucb", "successive-rejects", "successive-halving", "brute-force")
    ),
    *(
        {"direction": direction, "trajectory": trajectory}
        for direction in ("prompt", "prompt+performance+reflection")
        for trajectory in ("none", "recency", "importance", "summarization")
    ),
]  # fmt: skip


WORDS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "fern",
    "grove",
    "heath",
    "ivy",
    "kelp",
    "lilac",
    "moss",
    "nettle",
)


def answer(body: dict[str, Any]) -> str:
    """The landscape scores; the optimizer writes any four words in the form that it is asked for."""
    if body["model"] == "task":
        return Landscape().answer(body)
    start, end = ("<INS>", "</INS>") if "<INS>" in all_text(body) else ("<START>", "<END>")
    words = Random(f"{body.get('seed')} {all_text(body)}").sample(WORDS, 4)
    return f"{start}{' '.join(words)}{end}"


@pytest.mark.parametrize("method", SMALL, ids=lambda method: "-".join(map(str, method.values()))[:40])
async def test_a_run_stays_within_its_estimate(method: dict[str, Any], tmp_path: Path) -> None:
    with ModelServer(answer=answer) as server:
        told = estimate(plan(server, tmp_path, method=method))
        assert server.stats.calls == 0
        result = await run(server, tmp_path, method=method)
        assert server.stats.finished == result.usage.task.calls + result.usage.optimizer.calls
    for role in ("task", "optimizer"):
        used, expected, most = (
            getattr(result.usage, role),
            getattr(told, role).expected,
            getattr(told, role).most,
        )
        for what in ("calls", "prompt_tokens", "completion_tokens"):
            assert getattr(used, what) <= getattr(most, what), (role, what)
            assert getattr(expected, what) <= getattr(most, what), (role, what)
        assert used.calls >= expected.calls / 2, (role, used.calls, expected.calls)


@pytest.mark.parametrize("name", ["empty", "cot"])
async def test_what_only_evaluates_is_known_exactly(name: str, tmp_path: Path) -> None:
    with landscape_server() as server:
        told = estimate(plan(server, tmp_path, method=name))
        result = await run(server, tmp_path, method=name)
    # 8 dev rows and 10 test rows of one prompt; the estimate takes two for test, as it does not know the best.
    assert result.usage.task.calls == 18
    assert (told.task.most.calls, told.optimizer.most.calls) == (28, 0)


def cost(settings: PublishedConfig, *, train: int, dev: int) -> Calls:
    return PublishedMethod(settings).calls(Sizes(train=train, dev=dev))


def test_the_published_numbers() -> None:
    # OPRO: the initial prompt and 200 x 8 prompts on 50 dev rows, 200 optimizer calls.
    opro = cost(OproConfig(), train=50, dev=50)
    assert (opro.dev.total, opro.train.total) == (50 + 200 * 8 * 50, 0)
    assert [calls.count for calls in opro.optimizer] == [200]
    # APE: 90 instructions and three times 30 rewrites on 20 rows; the best of each of four steps on all 50.
    ape = cost(ApeConfig(), train=50, dev=50)
    assert ape.dev.total == 50 + 90 * 20 + 3 * 30 * 20 + 4 * 50
    assert [calls.count for calls in ape.optimizer] == [3, 3]
    # PE2: beams of 1, 4, 4 prompts with 4 proposals each, two calls a proposal; 9 walks over train.
    pe2 = cost(Pe2Config(), train=100, dev=50)
    assert (pe2.dev.total, pe2.train.total) == (50 + 36 * 50, 9 * 100)
    assert [calls.count for calls in pe2.optimizer] == [36, 36]
    # APO: 21 prompts are expanded in six rounds; of 9 arms 8 rounds of 8 x 32 pairs are more than all there are.
    apo = cost(ApoConfig(), train=100, dev=50)
    assert apo.train.total == 21 * 64
    assert [calls.count for calls in apo.optimizer] == [84, 84, 105]
    assert apo.dev.total == 50 + (9 * 50 + 4 * 50) + 5 * (36 * 50 + 4 * 50)


NOWHERE = "http://localhost:1"
STEPS = 2


def raced(folder: Path, candidates: int, rows: list[str]) -> RoleEstimate:
    """Of the task model where `rows` are the questions of dev."""
    write_rows(folder)
    lines = (json.dumps({"input": row, "target": "left"}) + "\n" for row in rows)
    (folder / "dev.jsonl").write_text("".join(lines))
    optimize = {"epochs": 1, "batch_size": 3, "candidates": candidates}
    return estimate(plan(NOWHERE, folder, evaluation="racing", optimize=optimize)).task


# All in the heat of eight rows, and a third of them, two at least, on the other forty: 4 x 8 + 2 x 40 = 112.
@pytest.mark.parametrize(("candidates", "most"), [(1, 48), (4, 112), (5, 120), (8, 184), (9, 192), (10, 240)])
def test_a_race_of_all_candidates_is_the_dearest(candidates: int, most: int, tmp_path: Path) -> None:
    told = raced(tmp_path, candidates, [f"Row {i}?" for i in range(48)])
    assert told.most.calls == 48 + STEPS * most + 2 * 10
    assert told.expected.calls <= told.most.calls


def test_a_race_meets_the_longest_rows_most_often_at_most(tmp_path: Path) -> None:
    short, longer = [f"Row {i:02}?" for i in range(48)], "x" * 1_000
    plain = raced(tmp_path / "plain", 8, short)
    # The heat has eight rows: at most all of these four are among them, and meet all eight candidates.
    for place in ([0, 1, 2, 3], [10, 20, 30, 40], [44, 45, 46, 47]):
        rows = [row + longer if i in place else row for i, row in enumerate(short)]
        told = raced(tmp_path / str(place[0]), 8, rows)
        more = told.most.prompt_tokens - plain.most.prompt_tokens
        assert more == 4 * 1_000 * (1 + STEPS * 8)
        assert told.most.calls == plain.most.calls
        assert told.most.completion_tokens == plain.most.completion_tokens


def test_a_reply_is_expected_to_have_a_token_at_least(tmp_path: Path) -> None:
    found = estimate(plan("http://127.0.0.1:1/v1", tmp_path, model={"max_tokens": 1}))
    for role in (found.task, found.optimizer):
        assert role.expected.completion_tokens >= role.expected.calls > 0
        assert role.most.completion_tokens >= role.expected.completion_tokens


def test_demonstrations_that_a_prompt_shows_are_counted_with_all_their_bytes(tmp_path: Path) -> None:
    made = plan("http://127.0.0.1:1/v1", tmp_path)
    row = made.task.splits.dev[0]
    for written in (None, 0, 200):
        bare = scoring_rounds(made, row, True, written)
        shown = scoring_rounds(made, row, True, written, shown=100)
        assert [prompt for prompt, _ in shown] == [prompt + 100 for prompt, _ in bare]
        assert [reply for _, reply in shown] == [reply for _, reply in bare]
