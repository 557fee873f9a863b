"""gpo+ on a program that takes demonstrations: bootstrapped from its runs, part by part, killed and gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gpo
from gpo.task.demonstrations import split_prompt
from tests.programs.support import make_task, optimize
from tests.support.server import ModelServer, last_text

SETTINGS: dict[str, Any] = {"method": {"name": "gpo+", "budget": 130}, "optimize": {"k": 2}}


def rows() -> dict[str, list[dict[str, str]]]:
    sizes = {"train": 16, "dev": 8, "test": 10}
    numbers = iter(range(sum(sizes.values())))
    return {
        name: [{"question": f"q{n}", "answer": "left"} for _, n in zip(range(size), numbers, strict=False)]
        for name, size in sizes.items()
    }


class Shown:
    """A program of two prompts that sends demonstrations of `answer` along, and remembers its replies."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    async def run(self, prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
        words, shown = split_prompt(prompts["answer"])
        lines = "".join(f"{item.input}: {item.answer}\n" for item in shown)
        query = await model(f"{split_prompt(prompts['rewrite'])[0]}\nask {row['question']}")
        self.said[row["question"]] = await model(f"{words}\n{lines}answer {query}")
        return self.said[row["question"]]

    def demonstrate(self, row: Mapping[str, Any], value: float | None) -> dict[str, tuple[str, str]]:
        question = row["question"]
        return {"answer": (question, self.said[question])} if value == 1 else {}

    def task(self) -> gpo.Task:
        task = gpo.Task.from_program(
            rows(), self.run, metric=lambda output, row: float(output == row["answer"])
        )
        assert task.program is not None
        return replace(task, program=replace(task.program, demonstrate=self.demonstrate))


def answer(body: dict[str, Any]) -> str:
    """An even question is right anyhow, an odd one where an example is shown."""
    text = last_text(body)
    if "<START>" in text:
        return f"<START>Words {body['seed']}<END>"
    last = text.splitlines()[-1]
    if not last.startswith("answer "):
        return last
    return "left" if int(last.rsplit("q", 1)[1]) % 2 == 0 or ": left" in text else "right"


def test_a_part_gets_demonstrations_of_runs_that_were_right(tmp_path: Path) -> None:
    with ModelServer(answer=answer) as server:
        result = optimize(server.base_url, tmp_path / "run", Shown().task(), **SETTINGS)
        assert (result.scores.initial.test, result.scores.best.test) == (0.5, 1.0)
        _, shown = split_prompt(result.best_prompts["answer"])
        assert shown
        assert {item.answer for item in shown} == {"left"}
        assert not split_prompt(result.best_prompts["rewrite"])[1], "nothing can be shown of it"
        assert "<Demonstrations>" not in "".join(
            last_text(body) for body in server.bodies() if body["model"] == "optimizer"
        )
        told = result.extra["gpo+"]
        assert told["plan"]["bootstrapped"] == 8
        assert told["pairs"] + 8 <= 130
        # The same again from the journal: the program runs anew, and nothing is asked.
        (tmp_path / "run" / "result.json").unlink()
        calls = server.stats.calls
        again = optimize(server.base_url, tmp_path / "run", Shown().task(), **SETTINGS)
        assert again.best_prompts == result.best_prompts
        assert server.stats.calls == calls


def test_a_program_that_takes_none_is_searched_over_words() -> None:
    with ModelServer(answer=answer) as server:
        result = optimize(server.base_url, None, make_task(), **SETTINGS)
    assert "bootstrapped" not in {k: v for k, v in result.extra["gpo+"]["plan"].items() if v}
    assert all(not split_prompt(text)[1] for text in result.best_prompts.values())
