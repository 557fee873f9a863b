"""Current information: what each direction tells, which train rows it looks at, and what it may cost."""

from __future__ import annotations

import pytest

from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.parts.information import NO_FAILURE, PromptInformation, count_batches
from gpo.optimizer.state import Information, Step, Visited
from gpo.optimizer.workbench import Workbench
from tests.optimizer.scripted import ScriptedOptimizer, ScriptedTaskModel, workbench


def step(bench: Workbench, number: int = 0, total: int = 6) -> Step:
    return Step(number, total, (Visited("start", 0.25, 0, Information("start")),), bench)


@pytest.mark.parametrize("performance", [False, True])
@pytest.mark.parametrize("reflection", [False, True])
async def test_a_direction_tells_what_its_name_says(performance: bool, reflection: bool) -> None:
    model, optimizer = ScriptedTaskModel({"start": {0}}), ScriptedOptimizer(told="  It says too little.\n")
    bench = workbench(model, optimizer)
    told = await PromptInformation(performance, reflection).describe(step(bench))
    assert told == Information(
        "start",
        score=0.25 if performance else None,
        reflection="It says too little." if reflection else None,
    )
    # Reflection alone reads train, a batch of 8 at most, and asks the optimizer once, at temperature 0.
    assert len(model.asked) == (8 if reflection else 0)
    assert [(r.purpose, r.temperature, r.n) for r in optimizer.requests] == (
        [("reflection", 0.0, 1)] if reflection else []
    )


async def test_no_more_than_four_failures_are_shown() -> None:
    model, optimizer = ScriptedTaskModel({"start": ()}, train_right={2, 5}), ScriptedOptimizer()
    bench = workbench(model, optimizer)
    await PromptInformation(False, True).describe(step(bench))
    (text,) = optimizer.texts("reflection")
    assert len(model.asked) == 8
    assert text.count("Question: train row") == 4
    assert text.count("Answer of the model: no") == text.count("Right answer: yes") == 4
    assert "train row 2?" not in text
    assert "train row 5?" not in text


async def test_a_batch_without_a_failure_is_said_to_be_one() -> None:
    model, optimizer = ScriptedTaskModel({"start": ()}, train_right=range(8)), ScriptedOptimizer()
    told = await PromptInformation(False, True).describe(step(workbench(model, optimizer)))
    assert told == Information("start", notes=NO_FAILURE)
    assert optimizer.requests == []


async def read_epochs(epochs: int, *, seed: int = 0, train: int = 10, size: int = 4) -> list[list[list[int]]]:
    """The train rows that each step of each epoch looks at, in their order. 10 rows in batches of 4 are 3 steps."""
    steps = -(-train // size)
    found = []
    for epoch in range(epochs):
        batches = []
        for index in range(steps):
            model = ScriptedTaskModel({"start": ()})
            bench = workbench(model, ScriptedOptimizer(), train=train, seed=seed)
            part = PromptInformation(False, True, batch_size=size)
            await part.describe(step(bench, epoch * steps + index, epochs * steps))
            batches.append([row for _, _, row in model.asked])
        found.append(batches)
    return found


async def test_an_epoch_looks_at_each_train_row_once() -> None:
    for batches in await read_epochs(3):
        assert [len(batch) for batch in batches] == [4, 4, 2]
        assert sorted(row for batch in batches for row in batch) == list(range(10))


async def test_every_epoch_shuffles_anew() -> None:
    epochs = await read_epochs(3)
    orders = [tuple(row for batch in batches for row in batch) for batches in epochs]
    assert len(set(orders)) == 3
    assert tuple(range(10)) not in orders
    # And not merely within the batches: other rows are looked at together.
    together = [{frozenset(batch) for batch in batches} for batches in epochs]
    assert together[0] != together[1] != together[2] != together[0]


async def test_the_order_is_the_seeds() -> None:
    assert await read_epochs(2, seed=3) == await read_epochs(2, seed=3)
    assert await read_epochs(2, seed=3) != await read_epochs(2, seed=4)


@pytest.mark.parametrize(
    ("train", "size", "whole", "dropped"),
    [(16, 8, 2, 2), (17, 8, 3, 2), (19, 8, 3, 2), (20, 8, 3, 3), (3, 8, 1, 1), (0, 8, 1, 1)],
)
def test_batches_of_an_epoch(train: int, size: int, whole: int, dropped: int) -> None:
    assert count_batches(train, size) == whole
    assert count_batches(train, size, drop_remainder=True) == dropped


def test_a_reflection_costs_a_call_a_step_and_train_once_an_epoch() -> None:
    # 10 rows in batches of 4: 3 steps an epoch, so 6 steps are 2 epochs.
    cost = PromptInformation(True, True, batch_size=4).calls(6, Sizes(train=10, dev=5, max_tokens=300))
    assert cost == Calls(
        train=RowUse((2,) * 10),
        optimizer=(OptimizerCalls(6, 1, 300, PromptContent(prompts=1, failures=4)),),
        shown=PromptContent(prompts=1, reply_tokens=300),
    )
    assert cost.train.total == 20
    # An epoch that is cut short may have read any of them.
    assert PromptInformation(True, True, batch_size=4).calls(4, Sizes(train=10, dev=5)).train.total == 20
    plain = PromptInformation(True, False).calls(6, Sizes(train=10, dev=5))
    assert plain == Calls(shown=PromptContent(prompts=1))
