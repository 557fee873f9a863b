"""A notebook, executed in a kernel: a data frame, own models and an own metric, an interrupted cell, two runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.landscape import Landscape
from tests.support.server import ModelServer

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("pandas")

pytestmark = [
    pytest.mark.slow,
    # Theirs, and about how their sockets and loops end.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PREPARE = """
import os, json, urllib.request
os.environ["GPO_HOME"] = FOLDER + "/home"
import aiohttp, pandas
import gpo

frame = pandas.DataFrame(ROWS)
parts = {"train": frame[:8], "dev": frame[8:20], "test": frame[20:]}

async def metric(prediction, target):
    return float(prediction == target)

task = gpo.Task.from_frame(parts, answer={"kind": "label", "labels": ["left", "right"]}, metric=metric)
options = dict(prompt="amber anchor", method={"trajectory": "recency"},
               optimize={"epochs": 1, "batch_size": 2, "candidates": 3})

def body(messages, seed):
    return {"model": "own", "messages": messages, "seed": seed}

def ask(messages, seed):
    data = json.dumps(body(messages, seed)).encode()
    request = urllib.request.Request(URL, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]

class Client:
    session = None
    async def ask(self, messages, seed):
        self.session = self.session or aiohttp.ClientSession()
        async with self.session.post(URL, json=body(messages, seed)) as response:
            return (await response.json())["choices"][0]["message"]["content"]

client = Client()
task
"""
SYNC = "first = gpo.optimize(task, models=ask, progress=True, **options)\nfirst"
ASYNC = """
try:
    second = gpo.optimize(task, models=client.ask, run_dir=FOLDER + "/run", progress=True, **options)
    print("DONE", second.status, second.best_prompt == first.best_prompt)
except KeyboardInterrupt as error:
    print("STOPPED", error.__notes__)
"""
AWAIT = """
own = Client()
third = await gpo.aoptimize(task, models=own.ask, progress=True, **options)
await own.session.close()
print("AWAITED", third.best_prompt == first.best_prompt)
"""


def notebook(folder: Path, server: ModelServer) -> Any:
    values = {
        "FOLDER": str(folder),
        "URL": f"{server.base_url}/chat/completions",
        "ROWS": Landscape().rows(30),
    }
    given = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    cells = [given + PREPARE, SYNC, ASYNC, ASYNC, AWAIT]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])


def text_of(cell: Any) -> str:
    """Everything that a cell shows, as text."""
    return json.dumps(cell.outputs, ensure_ascii=False)


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - counted in another thread
        await asyncio.sleep(0.002)


async def test_a_notebook_is_executed_interrupted_and_gone_on_with(tmp_path: Path) -> None:
    with ModelServer(answer=Landscape().answer) as server:
        book = notebook(tmp_path, server)
        client = nbclient.NotebookClient(book, timeout=100)
        async with client.async_setup_kernel():
            prepare, sync, stopped, resumed, awaited = book.cells
            await client.async_execute_cell(prepare, 0)
            assert "Task('task': 8 train, 12 dev, 10 test" in text_of(prepare)
            await client.async_execute_cell(sync, 1)
            assert "<progress" in text_of(sync)
            assert "calls" in text_of(sync)
            assert "Best prompt" in text_of(sync)

            before, server.delay = server.stats.finished, 0.02
            running = asyncio.create_task(client.async_execute_cell(stopped, 2))
            await until(lambda: running.done() or server.stats.finished >= before + 20)
            server.gate.clear()
            await until(lambda: running.done() or server.stats.concurrent > 0)
            await client.km.interrupt_kernel()
            await running
            assert "STOPPED" in text_of(stopped)
            assert "the same call again goes on" in text_of(stopped)
            calls = server.stats.calls
            server.gate.set()
            await asyncio.sleep(1.0)
            assert server.stats.calls == calls

            server.delay = 0.0
            await client.async_execute_cell(resumed, 3)
            assert "DONE complete True" in text_of(resumed)
            # Stopped and gone on with, the second run asked for what the first one did, and for nothing twice.
            assert server.stats.finished == 2 * before
            await client.async_execute_cell(awaited, 4)
            assert "AWAITED True" in text_of(awaited)
