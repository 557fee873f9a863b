"""Replay, deduplication and usage, as whoever asks a journaled model sees them."""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpo.errors import ModelError, PermanentModelError, RunError, TransientModelError
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.model.layers.limits import LimitedModel
from gpo.model.model import Model, Reply, Request, Usage
from gpo.model.tally import Tally
from gpo.run.layers.journaled import JournaledModel
from gpo.run.layers.single_flight import SingleFlight
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.shared_store import SharedStore

from .support import CountingModel, ask


def opened(path: Path) -> SharedStore:
    store = SharedStore.open(path, warn=pytest.fail)
    assert store is not None
    return store


async def test_what_was_answered_is_never_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    requests = [ask(f"q{i}", temperature=i % 2, seed=i) for i in range(20)]
    model = CountingModel()
    with Journal(path) as journal:
        recorded: Model = JournaledModel(model, journal, "task")
        first = [await recorded.complete(request) for request in requests]
        assert recorded.identity == model.identity
        await recorded.aclose()
    assert model.closed
    again = CountingModel()
    with Journal(path) as journal:
        journaled = JournaledModel(again, journal, "task")
        assert [await journaled.complete(request) for request in requests * 2] == first * 2
        assert journaled.replayed == 20
        await journaled.complete(ask("new"))
        assert journaled.replayed == 20
    assert again.sent == {"new": 1}
    assert [reply.text for reply in first] == [f"re: q{i}" for i in range(20)]
    assert all(
        reply.call == request.key(model.identity) for reply, request in zip(first, requests, strict=True)
    )


async def test_the_time_that_a_call_waits_for_its_turn_is_none_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"

    class Slow(CountingModel):
        async def complete(self, request: Request) -> Reply:
            await asyncio.sleep(0.05)
            return replace(await super().complete(request), seconds=0.05)

    with Journal(path) as journal:
        journaled = JournaledModel(LimitedModel(Slow(), RoleQueue(EndpointLimiter(1), 1)), journal, "task")
        await asyncio.gather(*(journaled.complete(ask(f"q{i}")) for i in range(4)))
    with JournalReader(path) as reader:
        first, *_, last = sorted(reader.ledger(), key=lambda line: line.started)
    assert last.started >= first.started + 3 * 0.05 - 0.01


async def test_an_answer_of_another_run_took_no_time(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "store.sqlite")) as store:
        with Journal(tmp_path / "first.sqlite") as journal:
            await JournaledModel(CountingModel(delay=0.05), journal, "task", shared=store).complete(ask("q"))
        with Journal(tmp_path / "second.sqlite") as journal:
            model = CountingModel()
            before = journal.now()
            await JournaledModel(model, journal, "task", shared=store).complete(ask("q"))
            after = journal.now()
    with JournalReader(tmp_path / "second.sqlite") as reader:
        (line,) = reader.ledger()
    assert model.sent == {}
    assert before <= line.started <= after


async def test_an_answer_that_was_seen_is_already_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal, JournalReader(path) as another:
        reply = await JournaledModel(CountingModel(), journal, "task").complete(ask("q"))
        assert reply.call is not None
        assert another.get_call(reply.call) is not None


async def test_the_same_question_at_the_same_time_is_sent_once(tmp_path: Path) -> None:
    model = CountingModel(delay=0.01)
    with Journal(tmp_path / "journal.sqlite") as journal:
        flights = SingleFlight[Reply]()
        task, optimizer = (
            JournaledModel(model, journal, role, flights=flights) for role in ("task", "optimizer")
        )
        requests = [ask(f"q{i % 3}") for i in range(30)]
        replies = await asyncio.gather(
            *(task.complete(request) for request in requests), *(optimizer.complete(r) for r in requests)
        )
        assert model.sent == {"q0": 1, "q1": 1, "q2": 1}
        assert [reply.text for reply in replies] == [f"re: q{i % 3}" for i in range(30)] * 2
        assert task.tally.calls + optimizer.tally.calls == 3


async def test_one_who_gives_up_leaves_the_others_alone(tmp_path: Path) -> None:
    model = CountingModel(delay=0.05)
    with Journal(tmp_path / "journal.sqlite") as journal:
        journaled = JournaledModel(model, journal, "task")
        waiters = [asyncio.create_task(journaled.complete(ask("q"))) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiters[0].cancel()
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert [outcome.text for outcome in outcomes[1:] if isinstance(outcome, Reply)] == ["re: q"] * 2
    assert (model.sent["q"], model.cancelled) == (1, 0)


async def test_a_call_that_nobody_waits_for_is_cancelled_and_can_be_asked_again(tmp_path: Path) -> None:
    model = CountingModel(delay=0.05)
    with Journal(tmp_path / "journal.sqlite") as journal:
        journaled = JournaledModel(model, journal, "task")
        waiters = [asyncio.create_task(journaled.complete(ask("q"))) for _ in range(3)]
        await asyncio.sleep(0.01)
        for waiter in waiters:
            waiter.cancel()
        again = asyncio.create_task(journaled.complete(ask("q")))
        assert (await again).text == "re: q"
        assert journaled.tally.calls == 1
    assert model.cancelled == 1
    assert model.sent["q"] == 2


async def test_an_answer_that_is_here_is_kept_though_nobody_waits(tmp_path: Path) -> None:
    class Gate(CountingModel):
        waiter: asyncio.Task[Reply]

        async def complete(self, request: Request) -> Reply:
            reply = await super().complete(request)
            asyncio.get_running_loop().call_soon(self.waiter.cancel)  # after the answer, before the commit
            return reply

    model = Gate()
    with Journal(tmp_path / "journal.sqlite") as journal:
        journaled = JournaledModel(model, journal, "task")
        model.waiter = asyncio.create_task(journaled.complete(ask("q")))
        with pytest.raises(asyncio.CancelledError):
            await model.waiter
        assert (await journaled.complete(ask("q"))).text == "re: q"
    assert model.sent["q"] == 1


@pytest.mark.parametrize("kind", [TransientModelError, PermanentModelError])
async def test_a_failure_reaches_everyone_and_is_not_remembered(
    tmp_path: Path, kind: type[ModelError]
) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        failing = JournaledModel(CountingModel(delay=0.01, error=kind("overloaded")), journal, "task")
        outcomes = await asyncio.gather(
            *(failing.complete(ask("q")) for _ in range(3)), return_exceptions=True
        )
        assert [(type(outcome), str(outcome)) for outcome in outcomes] == [(kind, "overloaded")] * 3
        assert failing.tally == Tally()
        assert (await JournaledModel(CountingModel(), journal, "task").complete(ask("q"))).text == "re: q"
        await journal.flush()
        (event,) = journal.events("failure")
        assert event.data["error"] == "overloaded"
        assert (event.data["role"], event.data["purpose"]) == ("task", "score")


async def test_an_answer_that_cannot_be_recorded_is_not_given_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journaled = JournaledModel(CountingModel(delay=0.01), journal, "task")
    waiting = [asyncio.create_task(journaled.complete(ask("q"))) for _ in range(2)]
    await asyncio.sleep(0)
    journal.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RunError] * 2


# The store of deterministic calls


async def test_deterministic_answers_are_shared_between_runs_and_sampled_ones_are_not(tmp_path: Path) -> None:
    requests = [ask("cold"), ask("warm", temperature=1.0, seed=3)]
    usages = []
    for run in ("one", "two"):
        store = opened(tmp_path / "store.sqlite")
        model = CountingModel()
        with Journal(tmp_path / f"{run}.sqlite") as journal:
            journaled = JournaledModel(model, journal, "task", store)
            replies = [await journaled.complete(request) for request in requests]
            usages.append(journaled.usage())
        store.close()
        assert model.sent == ({"cold": 1, "warm": 1} if run == "one" else {"warm": 1})
        assert [reply.source for reply in replies] == ["sent" if run == "one" else "store", "sent"]
        assert replies[0].text == "re: cold"
    assert usages == [
        {
            "calls": 2,
            "cached": 0,
            "prompt_tokens": 8,
            "completion_tokens": 6,
            "usd": None,
            "reasoning_tokens": 0,
        },
        {
            "calls": 1,
            "cached": 1,
            "prompt_tokens": 4,
            "completion_tokens": 3,
            "usd": None,
            "reasoning_tokens": 0,
        },
    ]
    with Journal(tmp_path / "two.sqlite") as journal:  # without the store: its answer is in the run's journal
        replayed = JournaledModel(CountingModel(), journal, "task")
        assert (await replayed.complete(requests[0])).source == "store"
        await replayed.complete(requests[1])
        assert replayed.usage() == usages[1]


async def test_an_answer_is_in_the_journal_before_it_is_in_the_store(tmp_path: Path) -> None:
    # A process killed in between would find its own call in the store, and take it for another run's.
    path = tmp_path / "journal.sqlite"
    found: list[bool] = []

    class Watched(SharedStore):
        def put(self, key: str, reply: Reply, packed: bytes | None = None) -> None:
            with JournalReader(path) as survivor:
                found.append(survivor.get_call(key) is not None)
            super().put(key, reply, packed)

    store = Watched(tmp_path / "store.sqlite", pytest.fail)
    with Journal(path) as journal:
        journaled = JournaledModel(CountingModel(), journal, "task", store)
        await asyncio.gather(*(journaled.complete(ask(f"q{i}")) for i in range(3)))
    store.close()
    assert found == [True] * 3


async def test_an_answer_that_the_journal_failed_to_keep_is_in_the_store(tmp_path: Path) -> None:
    store = opened(tmp_path / "store.sqlite")
    journal = Journal(tmp_path / "journal.sqlite")
    journaled = JournaledModel(CountingModel(delay=0.01), journal, "task", store)
    waiting = asyncio.create_task(journaled.complete(ask("q")))
    await asyncio.sleep(0)
    journal.close()
    with pytest.raises(RunError):
        await waiting
    store.close()
    again = opened(tmp_path / "store.sqlite")
    paid = again.get(ask("q").key(CountingModel.identity))
    again.close()
    assert paid is not None
    assert paid.text == "re: q"


async def test_dollars_come_from_the_price_and_are_unknown_without(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        priced = JournaledModel(
            CountingModel(), journal, "task", cost=lambda tally: tally.prompt_tokens * 0.5
        )
        await priced.complete(ask("four"))
        assert priced.usage()["usd"] == 2.0
        assert JournaledModel(CountingModel(), journal, "optimizer").usage()["usd"] is None


class Shuffled(CountingModel):
    """Answers in an order of its own."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._rng = random.Random(seed)

    async def complete(self, request: Request) -> Reply:
        for _ in range(self._rng.randrange(6)):
            await asyncio.sleep(0)
        return await super().complete(request)


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=25),
    cut=st.integers(0, 25),
    seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)),
)
def test_neither_order_nor_interruption_changes_what_is_stored_or_counted(
    texts: list[str], cut: int, seeds: tuple[int, int]
) -> None:
    async def run(path: Path, seed: int, asked: list[str]) -> tuple[Tally, dict[str, str], dict[str, Tally]]:
        with Journal(path) as journal:
            journaled = JournaledModel(Shuffled(seed), journal, "task")
            await asyncio.gather(*(journaled.complete(ask(text)) for text in asked))
            stored = {call.reply.call or "": call.reply.text for call in journal.calls()}
            return journaled.tally, stored, journal.totals()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = asyncio.run(run(folder / "whole.sqlite", seeds[0], texts))
        asyncio.run(run(folder / "cut.sqlite", seeds[1], texts[:cut]))
        resumed = asyncio.run(run(folder / "cut.sqlite", seeds[0], texts))
    assert whole == resumed
    assert whole[0] == whole[2]["task"]
    assert whole[0].calls == len(set(texts))


async def test_calls_that_are_counted_unasked_say_what_they_said_when_they_were_asked(tmp_path: Path) -> None:
    told = [
        {},
        {"finish_reasons": ("stop",)},
        {"texts": ('She said: "],["stop"]]',), "finish_reasons": ("length",)},
        {"texts": ("", "b"), "finish_reasons": ("length", "stop"), "reasoning": ("So", "")},
        {"finish_reasons": ("stop",), "usage": Usage(completion_tokens=9, reasoning_tokens=7)},
        {"texts": ("long " * 400,), "finish_reasons": ("stop",), "left_out": ("seed",)},
    ]

    class Telling(CountingModel):
        async def complete(self, request: Request) -> Reply:
            reply = await super().complete(request)
            return replace(reply, **told[int(request.messages[-1].content)])  # type: ignore[arg-type]

    def seen(model: JournaledModel) -> tuple[object, ...]:
        observed = model.observed
        counts = (observed.texts, observed.cut, observed.empty, observed.reasoned, observed.max_tokens)
        return (model.tally, counts, observed.left_out, observed.left_out_lines())

    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        asked = JournaledModel(Telling(), journal, "task")
        keys = [(await asked.complete(ask(str(index)))).call or "" for index in range(len(told))]
    with Journal(path) as journal:
        counted = JournaledModel(CountingModel(), journal, "task")
        counted.count_recorded([*keys, *keys])
        other = JournaledModel(CountingModel(), journal, "optimizer")
        other.count_recorded(keys)
    assert counted.replayed == len(told)
    assert seen(counted) == seen(asked)
    assert asked.tally.reasoning_tokens == 7
    assert asked.observed.left_out == ("seed",)
    assert other.tally == Tally()
