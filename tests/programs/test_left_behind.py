"""Calls that a program left behind when it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gpo.errors import PermanentModelError
from gpo.evaluation.grading import Grader
from gpo.evaluation.outcome import Outcome
from gpo.evaluation.program_rounds import ProgramRounds
from gpo.evaluation.rounds import ScorerSettings
from gpo.model.model import Reply, Request
from tests.programs.support import make_task


class Endpoint:
    """Answers LATE last, when the program has long ended, with `error` where there is one."""

    identity = "endpoint"

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.answered, self.first = error, 0, asyncio.Event()

    async def complete(self, request: Request) -> Reply:
        late = request.messages[0].content.startswith("LATE")
        await asyncio.sleep(0.05 if late else 0.001)
        if late and self.error:
            raise self.error
        self.answered += 1
        self.first.set()
        return Reply(texts=("left",), call=request.key("endpoint"))

    async def aclose(self) -> None:
        """Nothing is open."""


async def fails(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    late = asyncio.create_task(model(f"LATE {row['question']}"))
    await model(f"{prompts['answer']}\n{row['question']}")
    raise KeyError(str(late.done()))


async def outcome(endpoint: Endpoint) -> Outcome:
    task = replace(make_task(fails), parts=("answer",))
    rounds = ProgramRounds(task, endpoint, ScorerSettings(), Grader(task.metric))
    return await rounds.outcome("ANSWER", task.splits.dev[0], "dev")


async def test_a_failed_row_has_all_calls_that_were_under_way() -> None:
    endpoint = Endpoint()
    found = await outcome(endpoint)
    assert "raised KeyError: 'False'" in (found.failure or "")
    assert (len(found.calls), len(found.trace), endpoint.answered) == (2, 2, 2)


async def test_what_ends_the_run_is_not_lost_with_the_row_that_failed_before() -> None:
    error = PermanentModelError("the key is refused", scope="run")
    with pytest.raises(PermanentModelError, match="the key is refused"):
        await outcome(Endpoint(error))


async def test_a_row_that_is_cancelled_waits_for_nothing() -> None:
    endpoint = Endpoint()
    task = asyncio.create_task(outcome(endpoint))
    await asyncio.wait_for(endpoint.first.wait(), 5)
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert endpoint.answered == 1
