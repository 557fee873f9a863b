"""Calls that were paid for are counted, whoever made them: functions one completion at a time, and a full disk."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.errors import BudgetError
from gpo.run.directory import RunDirectory
from gpo.run.layers.budget import Budget
from gpo.run.optimize import Run
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.task.task import Task
from tests.support import forked
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

from .support import landscape_server, plan, run, write_rows

LANDSCAPE = Landscape()
METHODS = sorted(set(gpo.methods()) - {"empty", "cot"})


class Counted:
    """A function of the user's that gives one completion a call, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self._lock = threading.Lock()

    def _answer(self, messages: list[dict[str, str]], seed: int | None) -> str:
        with self._lock:
            self.calls += 1
        text = LANDSCAPE.answer({"messages": messages, "seed": seed or 0})
        assert isinstance(text, str)
        return text

    def sync(self, messages: list[dict[str, str]], seed: int | None = None) -> str:
        return self._answer(messages, seed)

    async def asynchronous(self, messages: list[dict[str, str]], seed: int | None = None) -> str:
        await asyncio.sleep(0)
        return self._answer(messages, seed)


@pytest.mark.parametrize("kind", ["sync", "asynchronous"])
@pytest.mark.parametrize(
    "method", [*METHODS, "ape-original", "apo-original", "opro-original", "pe2-original"]
)
def test_every_call_of_a_function_counts(method: str, kind: str) -> None:
    rows = {"train": LANDSCAPE.rows(6, 0), "dev": LANDSCAPE.rows(8, 6), "test": LANDSCAPE.rows(10, 14)}
    task = Task.from_rows(rows, answer={"kind": "label", "labels": ["left", "right"]})
    for cap in (1, 7, 20, 61, 150):
        functions = {"task": Counted(), "optimizer": Counted()}
        models: dict[str, Callable[..., Any]] = {
            role: getattr(model, kind) for role, model in functions.items()
        }
        try:
            result: Any = gpo.optimize(
                task,
                prompt="Let us think about it",
                models=models,
                method=method,
                optimize={"epochs": 1, "batch_size": 3, "candidates": 3, "resamples": 1},
                budget={"max_calls": cap},
            )
        except BudgetError as error:
            result = error.result
        except gpo.ConfigError as error:
            # A plan that does not fit its budget is refused before anything is paid.
            refused = "too few" in str(error)
            assert (method, refused) == ("gpo+", True)
            assert not any(model.calls for model in functions.values())
            continue
        used = result.usage
        counted = {role: model.calls for role, model in functions.items()}
        assert counted == {"task": used.task.calls, "optimizer": used.optimizer.calls}
        assert sum(counted.values()) <= cap
        if result.status == "budget":
            assert sum(counted.values()) == cap, "none was left unused"


# A disk that takes no more

LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from tests.reliability.support import plan
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
url, folder, size, calls, store, temperature = sys.argv[1:]
folder = Path(folder)
model = {"temperature": float(temperature)}
found = plan(url, folder, budget={"max_calls": int(calls) or None}, model=model)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
asyncio.run(Run(found, RunDirectory(folder / "run"), use_shared_store=bool(store)).execute())
"""


def fill_the_disk(
    server: ModelServer,
    folder: Path,
    size: int,
    *,
    calls: int = 0,
    store: Path | None = None,
    temperature: float = 0,
) -> str:
    """Start a run whose files may have `size` bytes each; the last line of its error."""
    if not (folder / "dev.jsonl").exists():
        write_rows(folder)
    arguments = [server.base_url, str(folder), str(size), str(calls), "x" if store else "", str(temperature)]
    environment = {**os.environ, "GPO_HOME": str(store or folder)}
    child = forked.run(LIMITED, *arguments, env=environment)
    assert child.returncode, "the disk was large enough"
    return child.stderr.strip().splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
@pytest.mark.parametrize("cap", [0, 1000])
@pytest.mark.parametrize("size", [120_000, 140_000, 160_000, 200_000])
async def test_after_a_full_disk_what_was_paid_is_not_free(size: int, cap: int, tmp_path: Path) -> None:
    with landscape_server() as server:
        line = fill_the_disk(server, tmp_path, size, calls=cap, temperature=0.5)
        assert "RunError" in line
        assert "journal.sqlite: the disk" in line
        paid = server.stats.finished
        assert paid > 0
        assert f"{paid:,} calls and" in line
        with Journal(tmp_path / "run" / "journal.sqlite") as journal:
            budget = Budget(
                plan(server, tmp_path).budget,
                {"task": lambda usage: 0.0, "optimizer": lambda usage: 0.0},
                journal,
            )
            assert budget.spent.calls == paid
        result = await run(server, tmp_path, model={"temperature": 0.5})
        assert result.usage.task.calls + result.usage.optimizer.calls == server.stats.finished
        tokens = server.stats.prompt_tokens + server.stats.completion_tokens
        used = (result.usage.task, result.usage.optimizer)
        assert sum(role.prompt_tokens + role.completion_tokens for role in used) == tokens


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
async def test_a_cap_holds_over_a_full_disk(tmp_path: Path) -> None:
    # Where the disk ends between an answer and its record, the answer is asked for again: at some size it does.
    for size in range(112_000, 132_001, 2_000):
        folder = tmp_path / str(size)
        folder.mkdir()
        with landscape_server(delay=0.002) as server:
            fill_the_disk(server, folder, size, calls=60, temperature=0.5)
            first = server.stats.finished
            with pytest.raises(BudgetError, match="max_calls") as caught:
                await run(server, folder, budget={"max_calls": 60}, model={"temperature": 0.5})
            assert first < server.stats.finished <= 60
            result: Any = caught.value.result
            assert result.usage.task.calls + result.usage.optimizer.calls == server.stats.finished
            if server.stats.repeated:
                return
    pytest.fail("no size made the run ask for an answer again")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
async def test_what_the_store_has_kept_of_it_is_paid_once_and_not_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("GPO_HOME", str(home))
    with landscape_server() as server:
        fill_the_disk(server, tmp_path, 110_000, store=home)
        first = server.stats.finished
        with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
            recorded = sum(tally.calls for tally in reader.totals().values())
        assert recorded < first
        found = plan(server, tmp_path, model={"temperature": 0.0})
        result = await Run(found, RunDirectory(tmp_path / "run")).execute()
        assert server.stats.repeated == 0
        used = (result.usage.task, result.usage.optimizer)
        assert sum(role.calls for role in used) == server.stats.finished
        assert sum(role.cached for role in used) == 0
        # And so it is for whoever replays it from the journal.
        (tmp_path / "run" / "result.json").unlink()
        again = await Run(
            plan(server, tmp_path, model={"temperature": 0.0}), RunDirectory(tmp_path / "run")
        ).execute()
        assert again.usage == result.usage
