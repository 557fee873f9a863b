"""A script as a user writes it, to be interrupted: `main(KIND, BASE_URL, RUN_DIR)`.

KIND says how the models are called: "wire" (a name and an address), "async" (an own async function with one client for
all calls), "sync" (an own function that waits in a thread), "await" (`aoptimize` in a loop of the script's own).
"""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.request
from typing import Any

import aiohttp

import gpo
from tests.support.landscape import Landscape


class Client:
    """As providers' clients are: made anywhere, connected at the first call, in the loop of that call."""

    def __init__(self, base_url: str) -> None:
        self.url = f"{base_url}/chat/completions"
        self.session: aiohttp.ClientSession | None = None

    async def ask(self, messages: list[dict[str, str]], seed: int, temperature: float) -> str:
        self.session = self.session or aiohttp.ClientSession()
        async with self.session.post(self.url, json=body(messages, seed)) as response:
            return str((await response.json())["choices"][0]["message"]["content"])

    async def close(self) -> None:
        if self.session:
            await self.session.close()

    def close_in_background(self) -> None:
        """In the loop that it is connected in."""

        async def model(text: str) -> str:
            await self.close()
            return "left"

        gpo.evaluate(make_task(1), "end", model=model)


def body(messages: list[dict[str, str]], seed: int) -> dict[str, Any]:
    return {"model": "own", "messages": messages, "seed": seed}


def make_task(test: int = 10) -> gpo.Task:
    landscape = Landscape()
    rows = {"train": landscape.rows(8), "dev": landscape.rows(12, 8), "test": landscape.rows(test, 20)}
    return gpo.Task.from_rows(rows, answer={"kind": "label", "labels": ["left", "right"]})


OPTIONS: dict[str, Any] = {
    "prompt": "amber anchor",
    "method": {"trajectory": "recency"},
    "optimize": {"epochs": 1, "batch_size": 2, "candidates": 3},
}


def model(kind: str, base_url: str, client: Client) -> Any:
    if kind in ("async", "await"):
        return client.ask
    if kind == "sync":

        def ask(messages: list[dict[str, str]], seed: int) -> str:
            data = json.dumps(body(messages, seed)).encode()
            request = urllib.request.Request(
                f"{base_url}/chat/completions", data, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request) as response:
                return str(json.load(response)["choices"][0]["message"]["content"])

        return ask
    return {"model": "own", "base_url": base_url, "concurrency": 6}


async def awaited(client: Client, models: Any, run_dir: str) -> gpo.Result:
    try:
        return await gpo.aoptimize(make_task(), models=models, run_dir=run_dir, **OPTIONS)
    finally:
        await client.close()


def main(kind: str, base_url: str, run_dir: str) -> None:
    # Whoever runs the tests in the background of a shell has handed down that SIGINT is to be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    client = Client(base_url)
    models = model(kind, base_url, client)
    try:
        if kind == "await":
            result = asyncio.run(awaited(client, models, run_dir))
        else:
            result = gpo.optimize(make_task(), models=models, run_dir=run_dir, **OPTIONS)
    except KeyboardInterrupt as error:
        print(json.dumps(getattr(error, "__notes__", [])), flush=True)
        raise
    client.close_in_background()
    print(result.best_prompt)
