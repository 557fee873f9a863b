"""An error that ends a run does not take along what others are about to be answered: no call is paid for twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import ConfigError, GPOError, PermanentModelError, TransientModelError
from gpo.storage.journal_reader import JournalReader
from gpo.task.task import Task

DEV = 16


class Function:
    """A task model of the user's: answers everything after a while but the third row, which fails at once."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    async def __call__(self, text: str) -> str:
        self.asked[text] += 1
        if self.error is not None and "dev 3" in text:
            await asyncio.sleep(0.05)
            raise self.error
        await asyncio.sleep(0.2)
        self.answered[text] += 1
        return "left"


def write(text: str) -> str:
    return "<START>Look closely<END>"


def optimize(function: Function, folder: Path, **options: Any) -> gpo.Result:
    rows = {
        split: [{"input": f"{split} {i}", "target": "right"} for i in range(count)]
        for split, count in (("train", 2), ("dev", DEV), ("test", 2))
    }
    return gpo.optimize(
        Task.from_rows(rows, **{"answer": "text", **options}),
        prompt="Look",
        models={"task": function, "optimizer": write},
        method={"trajectory": "none"},
        optimize={"epochs": 1, "candidates": 1, "resamples": 0},
        run_dir=folder / "run",
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionError("gone"), TransientModelError),
        (TimeoutError("too late"), TransientModelError),
        (ValueError("no such row"), PermanentModelError),
        (gpo.errors.RunError("its own"), GPOError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_model_that_fails_lets_the_other_calls_be_answered(
    error: Exception, kind: type[GPOError], tmp_path: Path
) -> None:
    function = Function(error)
    with pytest.raises(kind, match=str(error)):
        optimize(function, tmp_path)
    assert sum(function.answered.values()) == DEV - 1
    with JournalReader(tmp_path / "run" / "journal.sqlite") as journal:
        assert len(list(journal.ledger())) == DEV - 1
    function.error = None
    assert optimize(function, tmp_path).status == "complete"
    assert set(function.answered.values()) == {1}


class Picky:
    """An own metric that cannot do with one reply as long as it is `broken`. Its code stays the same."""

    def __init__(self, broken: bool) -> None:
        self.broken = [broken]

    def __call__(self, prediction: str, example: Any) -> float:
        if self.broken[0] and example.input == "dev 3":
            raise ZeroDivisionError("no")
        return 0.5


def test_so_does_a_metric_that_fails(tmp_path: Path) -> None:
    class Quick(Function):
        async def __call__(self, text: str) -> str:
            if "dev 3" in text:
                self.asked[text] += 1
                self.answered[text] += 1
                return "left"
            return await super().__call__(text)

    function = Quick(None)
    with pytest.raises(ConfigError, match=r"failed on example .*ZeroDivisionError"):
        optimize(function, tmp_path, metric=Picky(True))
    assert sum(function.answered.values()) == DEV
    assert optimize(function, tmp_path, metric=Picky(False)).status == "complete"
    assert set(function.answered.values()) == {1}


def test_and_an_own_reader_that_fails_which_is_told_in_one_line(tmp_path: Path) -> None:
    function = Function(None)
    with pytest.raises(ConfigError, match=r"task\.answer: .*IndexError") as caught:
        optimize(function, tmp_path, answer=lambda reply: reply.split(":")[1])
    assert len(str(caught.value).splitlines()) == 1
    assert sum(function.answered.values()) == DEV


def test_an_optimizer_model_that_fails_does_so_too(tmp_path: Path) -> None:
    broken, written = True, Counter[str]()

    async def writer(text: str, seed: int) -> str:
        if broken and len(written) == 0:
            written["nothing"] += 1
            await asyncio.sleep(0.05)
            raise ConnectionError("gone")
        await asyncio.sleep(0.2)
        written[f"{seed} {text}"] += 1
        return f"<INS>Look at number {len(written)}</INS>"

    def run() -> gpo.Result:
        rows = [{"input": f"row {i}", "target": "right"} for i in range(12)]
        return gpo.optimize(
            Task.from_rows(rows, split={"train": 4, "dev": 4, "test": 4}, answer="text"),
            prompt="Look",
            models={"task": lambda text: "left", "optimizer": writer},
            method={"name": "ape-original", "subsets": 3, "samples": 1, "rounds": 0, "examples": 2},
            run_dir=tmp_path / "run",
        )

    with pytest.raises(TransientModelError, match="gone"):
        run()
    assert sum(written.values()) == 3, "the failed one, and the two others"
    broken = False
    assert run().status == "complete"
    assert sum(written.values()) == 4
    assert set(written.values()) == {1}


def test_an_own_reader_that_returns_something_else_is_told(tmp_path: Path) -> None:
    rows = [{"input": f"row {i}", "target": "right"} for i in range(9)]
    task = Task.from_rows(rows, split={"train": 3, "dev": 3, "test": 3}, answer=str.split)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match=r'task\.answer: str\.split returned list for the reply "to the left"'
    ):
        task.score("to the left", task.splits.dev[0])
