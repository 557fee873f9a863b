"""Programs on the loopback server: two prompts, two calls a row; the same in a process of its own, to be killed.

`python -m tests.programs.support BASE_URL RUN_DIR` makes the run of `optimize`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import gpo
from tests.support.server import last_text

PROMPTS = {"rewrite": "REWRITE the question", "answer": "ANSWER it"}
SIZES = {"train": 6, "dev": 8, "test": 10}


def draw(text: str) -> int:
    """A number from 0 to 99 that the text alone decides."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") % 100


def answer(body: dict[str, Any]) -> str:
    """The task model knows a row as well as the words of both prompts are lucky, the optimizer writes any words."""
    text = last_text(body)
    if "<START>" in text:
        part = "REWRITE" if "that you improve is `rewrite`" in text else "ANSWER"
        return f"<START>{part} with word {draw(str(body.get('seed')))}<END>"
    if text.startswith("REWRITE"):
        return f"query {draw(text)} of {text.splitlines()[-1]}"
    return "left" if draw(text) % 2 else "right"


def rows() -> dict[str, list[dict[str, str]]]:
    """Questions with an answer, by split."""
    numbers = iter(range(sum(SIZES.values())))
    return {
        name: [
            {"question": f"q{n}", "answer": "left" if draw(f"q{n}") % 2 else "right"}
            for _, n in zip(range(size), numbers, strict=False)
        ]
        for name, size in SIZES.items()
    }


async def run(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    """Two calls, the second on the reply to the first."""
    query = await model(f"{prompts['rewrite']}\n{row['question']}")
    return str(await model([{"role": "user", "content": f"{prompts['answer']}\n{query}"}]))


def metric(output: str, row: Mapping[str, Any]) -> tuple[float, str]:
    """Right or wrong, and a word about it."""
    return float(output == row["answer"]), f"expected {row['answer']}"


def make_task(program: Any = run, **options: Any) -> gpo.Task:
    return gpo.Task.from_program(rows(), program, **{"metric": metric, **options})


def models(base_url: str, **changes: Any) -> dict[str, dict[str, Any]]:
    model = {"base_url": base_url, "max_tokens": 40, "concurrency": 4, "retry_delay": 0.001, **changes}
    return {"task": {"model": "task", **model}, "optimizer": {"model": "optimizer", **model}}


OPTIONS: dict[str, Any] = {
    "prompts": PROMPTS,
    "method": {"trajectory": "recency"},
    "optimize": {"epochs": 1, "batch_size": 3, "candidates": 3},
}


def optimize(
    base_url: str, run_dir: Path | str | None, task: gpo.Task | None = None, **changes: Any
) -> gpo.Result:
    """2 steps, each of one part."""
    settings = {**OPTIONS, **changes}
    model = settings.pop("model", {})
    return gpo.optimize(task or make_task(), models=models(base_url, **model), run_dir=run_dir, **settings)


async def aoptimize(base_url: str, run_dir: Path | None, **changes: Any) -> gpo.Result:
    return await asyncio.to_thread(optimize, base_url, run_dir, **changes)


def told(result: gpo.Result) -> str:
    """A result without what depends on the clock and the port."""
    data = result.to_dict()
    for name in ("seconds", "models", "limits"):
        data.pop(name, None)
    return json.dumps(data, sort_keys=True)


if __name__ == "__main__":
    from tests.programs import support

    support.optimize(sys.argv[1], sys.argv[2])
