"""The fault matrix: whatever the server does, a run ends with the fault-free result or stops with everything saved."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from gpo.errors import BudgetError, ModelError
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.storage.journal_reader import JournalReader
from tests.support.landscape import Landscape
from tests.support.server import FaultKind, Faults, ModelServer, request_key

from .support import landscape_server, plan, run, timeless

TRANSIENT: tuple[FaultKind, ...] = (
    "429", "429_retry_after", "500", "502", "503", "reset", "truncated", "garbage", "html", "no_choices", "hang",
)  # fmt: skip
STOPPING = tuple(kind for kind in TRANSIENT if kind != "no_choices")
"""Those that stop the run where they never pass; a reply that stays empty costs its example."""
FATAL: tuple[FaultKind, ...] = ("wrong_key", "no_model", "quota")
PER_CALL: tuple[FaultKind, ...] = ("content_filter", "overflow", "no_choices")


def patience(kind: FaultKind, seconds: float = 0.4) -> dict[str, Any]:
    """Of a server that never answers one should not wait long."""
    return {"timeout": seconds, "concurrency": 16} if kind == "hang" else {}


@pytest.fixture(scope="module")
def faultless(tmp_path_factory: pytest.TempPathFactory) -> Result:
    with landscape_server() as server:
        return asyncio.run(run(server, tmp_path_factory.mktemp("faultless")))


def test_the_matrix_is_whole() -> None:
    # A server that loads its model is no fault: it is waited for (tests/model/test_endpoints.py).
    assert {*TRANSIENT, *FATAL, *PER_CALL, "loading"} == set(get_args(FaultKind))


@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize("kind", TRANSIENT)
async def test_what_passes_changes_nothing(
    kind: FaultKind, share: float, faultless: Result, tmp_path: Path
) -> None:
    with landscape_server(faults=Faults(rates={kind: share}, seed=1)) as server:
        result = await run(server, tmp_path, model=patience(kind))
    assert timeless(result) == timeless(faultless)
    met = server.stats.outcomes["aborted" if kind == "hang" else kind]
    assert met > 0
    assert {call.headers["User-Agent"] for call in server.log} == {"gpo"}, "over the connections of our own"
    assert server.stats.repeated == 0
    # What may have been charged and brought nothing is told beside the usage; what the server refused is free.
    lost = sum(result.extra.get("lost_attempts", {}).values())
    assert lost == (0 if kind in ("429", "429_retry_after", "503") else met)


@pytest.mark.parametrize("kind", [*STOPPING, *FATAL])
async def test_what_never_passes_stops_the_run_with_the_providers_words(
    kind: FaultKind, faultless: Result, tmp_path: Path
) -> None:
    with landscape_server() as server:
        with pytest.raises(BudgetError, match="max_calls"):
            await run(server, tmp_path, budget={"max_calls": 20})
        paid = server.stats.finished
        server.faults = Faults(rates={kind: 1.0})
        with pytest.raises(ModelError) as caught:
            await run(server, tmp_path, model={"retries": 2, **patience(kind, 0.1)})
        assert len(str(caught.value).splitlines()) == 1
        server.faults = Faults()
        result = await run(server, tmp_path)
        assert server.stats.repeated == 0
        assert server.stats.finished > paid
    assert timeless(result) == timeless(faultless)


@pytest.mark.parametrize("kind", PER_CALL)
async def test_an_example_that_cannot_be_scored_is_left_out_for_all(kind: FaultKind, tmp_path: Path) -> None:
    def refused(body: dict[str, Any]) -> bool:
        return "Item 7:" in str(body["messages"]) and "<START>" not in str(body["messages"])

    class Selective(Faults):
        def pick(self, key: str, attempt: int) -> FaultKind | None:
            return kind if key in bad else None

    bad: set[str] = set()
    with landscape_server(faults=Selective()) as server:
        answer = server._handle

        async def handle(request: Any, body: dict[str, Any]) -> Any:
            if refused(body):
                bad.add(request_key(request.path, body))
            return await answer(request, body)

        server._handle = handle  # type: ignore[method-assign]
        result = await run(server, tmp_path)
        assert result.extra["excluded_examples"] == {"dev": 1, "test": 0}
        asked = server.stats.calls
        (tmp_path / "run" / "result.json").unlink()
        # A replay leaves the same example out, without asking again, even if the server has changed its mind.
        server.faults = Faults()
        again = await run(server, tmp_path)
        assert server.stats.calls == asked
    assert timeless(again) == timeless(result)
    with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
        failed = {score.example_id for score in journal.scores(split="dev") if score.value is None}
    assert len(failed) == 1


# Empty choices pass when they are asked for again, unless they never do.
@pytest.mark.parametrize(
    ("kind", "share"),
    [(kind, share) for kind in PER_CALL for share in (0.05, 0.2, 1.0) if kind != "no_choices" or share == 1],
)
async def test_too_many_such_examples_stop_the_run_and_say_why(
    kind: FaultKind, share: float, tmp_path: Path
) -> None:
    with landscape_server(faults=Faults(rates={kind: share}, seed=1)) as server:
        with pytest.raises(ModelError, match=r"could not be scored|filter|context|without a completion"):
            await run(server, tmp_path, model={"retries": 2})
        # The cause is gone (a longer context, say): the same command goes on.
        server.faults = Faults()
        result = await run(server, tmp_path)
    assert result.status == "complete"


async def test_what_is_in_flight_when_too_many_failed_is_finished_and_kept(tmp_path: Path) -> None:
    def bad(key: str) -> bool:
        return int(key, 16) % 2 == 1

    class Mixed(Faults):
        def pick(self, key: str, attempt: int) -> FaultKind | None:
            return "content_filter" if bad(key) else None

    with landscape_server(faults=Mixed()) as server:
        answer = server._handle

        async def handle(request: Any, body: dict[str, Any]) -> Any:
            # The refusals are there long before the answers.
            if not bad(request_key(request.path, body)):
                await asyncio.sleep(0.3)
            return await answer(request, body)

        server._handle = handle  # type: ignore[method-assign]
        with pytest.raises(ModelError, match="could not be scored"):
            await run(server, tmp_path)
        assert server.stats.outcomes["aborted"] == 0
        with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
            assert len(list(journal.ledger())) == server.stats.outcomes["ok"] > 0


async def test_no_server_is_one_line_and_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model server answers"):
        await run("http://127.0.0.1:9/v1", tmp_path)
    with landscape_server() as server:
        assert (await run(server, tmp_path)).status == "complete"


async def test_a_server_that_mostly_fails_ends_the_run(tmp_path: Path) -> None:
    with landscape_server(faults=Faults(rates={"500": 0.9}, seed=1)) as server:
        made = plan(server, tmp_path, model={"retries": 500, "retry_delay": 0.0})
        opened = made.task_model
        assert opened.retry is not None
        made = replace(made, task_model=replace(opened, retry=replace(opened.retry, leeway=10)))
        with pytest.raises(ModelError, match="500"):
            await Run(made, RunDirectory(tmp_path / "run"), use_shared_store=False).execute()
        with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
            (told,) = journal.events("retries")
        assert 0 < told.data["task"] <= 10 + server.stats.finished


async def test_one_call_that_never_passes_stops_the_run_and_costs_no_example(
    faultless: Result, tmp_path: Path
) -> None:
    def answer(body: dict[str, Any]) -> str:
        if broken and "Item 7:" in str(body["messages"]):
            raise RuntimeError("the server's own bug, an HTTP 500")
        return Landscape().answer(body)

    broken = True
    with ModelServer(answer=answer) as server:
        with pytest.raises(ModelError, match="500"):
            await run(server, tmp_path, model={"retries": 1})
        broken = False
        result = await run(server, tmp_path)
        assert server.stats.repeated == 0
    assert timeless(result) == timeless(faultless)
