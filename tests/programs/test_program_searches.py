"""What a search makes of several prompts: which one a step changes, gpo+, prompts that make no difference, turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.optimizer.coordinates.choice import choose_part
from gpo.optimizer.plus.moves.library import FINAL
from gpo.report.data import read_run
from gpo.task.program.parts import join_parts, split_parts
from tests.programs.support import PROMPTS, SIZES, answer, make_task, models, optimize, told
from tests.support.server import ModelServer, last_text


@dataclass(frozen=True)
class Taken:
    part: str | None
    gain: float = 0.0


def test_parts_change_in_turn() -> None:
    names, steps = ("a", "b", "c"), list[Taken]()
    for _ in range(5):
        steps.append(Taken(choose_part(names, "turn", steps), 0.5))
    assert [step.part for step in steps] == ["a", "b", "c", "a", "b"]
    assert choose_part(("a",), "turn", steps) is None


def test_the_part_that_promises_most_changes_and_none_is_forgotten() -> None:
    names = ("a", "b")
    gains = {"a": 0.3, "b": 0.1}
    steps = list[Taken]()
    for _ in range(8):
        part = choose_part(names, "promise", steps)
        assert part is not None
        steps.append(Taken(part, gains[part]))
    # Each once; then a, until b has waited for 2 × 2 steps.
    assert "".join(step.part or "" for step in steps) == "abaaaaba"
    assert choose_part(names, "promise", [Taken("a", 0.1), Taken("b", 0.1)]) == "a", (
        "the one that waited longer"
    )
    assert choose_part(names, "promise", [Taken("a", -0.2), Taken("b", -0.1)]) == "b"


@pytest.mark.parametrize("texts", [{"a": "", "b": "\n x \n\n"}, {"a.b[0]": "<Other>", "b": "{x} ü"}])
def test_several_prompts_are_one_text_and_come_back(texts: dict[str, str]) -> None:
    assert split_parts(join_parts(texts), tuple(texts)) == texts


def test_promise_is_an_option_of_the_run() -> None:
    with ModelServer(answer=answer) as server:
        result = optimize(
            server.base_url,
            None,
            optimize={"epochs": 3, "batch_size": 3, "candidates": 2, "coordinate": "promise"},
        )
    order = [step["part"] for step in result.steps]
    gains = dict.fromkeys(PROMPTS, 0.0)
    scores = [result.scores.initial.dev, *(step["dev"] for step in result.steps)]
    for number, part in enumerate(order):
        if number >= 2:
            assert gains[part] == max(gains.values())
        gains[part] = scores[number + 1] - scores[number]


def test_gpo_plus_changes_one_prompt_a_step(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"method": {"name": "gpo+", "budget": 150}, "optimize": {"k": 2}}
    with ModelServer(answer=answer) as server:
        result = optimize(server.base_url, tmp_path / "run", **settings)
        asked = [last_text(body) for body in server.bodies() if body["model"] == "optimizer"]
        (tmp_path / "run" / "result.json").unlink()
        calls = server.stats.calls
        assert told(optimize(server.base_url, tmp_path / "run", **settings)) == told(result)
        assert server.stats.calls == calls
    parts = [step.get("part") for step in result.steps]
    assert parts[:5] == [None, "rewrite", "answer", "rewrite", "answer"], "first the library"
    assert parts[-1] is None, "the last duel"
    tried = [item.prompt for step in read_run(tmp_path / "run").steps for item in step.candidates]
    assert any(FINAL in prompt for prompt in tried), "a sentence about the answer's form is an edit"
    assert set(result.best_prompts) == set(PROMPTS)
    assert "<Part" not in "".join(asked)
    assert any(
        "With it, these rows went wrong" in text and "Call 2 (prompt answer)" in text for text in asked
    )
    # A run of the program is two calls.
    assert result.usage.task.calls <= 2 * (150 + 2 * SIZES["test"])


async def ignores(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    return str(await model(f"{prompts['answer']}\n{row['question']}"))


def test_a_prompt_that_makes_no_difference_is_named(tmp_path: Path) -> None:
    told_lines: list[str] = []

    class Watch:
        def note(self, line: str) -> None:
            told_lines.append(line)

    def go(server: ModelServer) -> gpo.Result:
        return optimize(server.base_url, tmp_path / "run", make_task(ignores), watcher=Watch())

    with ModelServer(answer=answer) as server:
        result = go(server)
        line = next(line for line in result.extra["warnings"] if "changed no output" in line)
        count = 3 * SIZES["dev"]
        assert line == (
            f"changing `rewrite` changed no output in {count} of {count} rows; does the program use prompts['rewrite']?"
        )
        assert sum("changing `rewrite`" in line for line in told_lines) == 1, (
            "while the run goes on, and once"
        )
        assert not any("changing `answer`" in line for line in result.extra["warnings"])
        (tmp_path / "run" / "result.json").unlink()
        assert go(server).extra["warnings"] == result.extra["warnings"], "also from what the journal holds"


def test_prompts_that_are_used_are_not_named() -> None:
    with ModelServer(answer=answer) as server:
        result = optimize(server.base_url, None)
    assert not any("changed no output" in line for line in result.extra["warnings"])


def test_a_task_without_a_program_has_a_system_and_a_user_prompt(tmp_path: Path) -> None:
    def turns(body: dict[str, Any]) -> str:
        if body["model"] == "optimizer":
            return f"<START>{'SYS' if 'that you improve is `system`' in last_text(body) else 'USE'} {body['seed']}<END>"
        return "left" if len(str(body["messages"])) % 2 else "right"

    rows = [{"input": f"question {n}", "target": "left" if n % 3 else "right"} for n in range(40)]
    task = gpo.Task.from_rows(rows, answer="label")
    with ModelServer(answer=turns) as server:
        result = gpo.optimize(
            task,
            prompts={"system": "SYS terse", "user": "USE this: {input}"},
            models=models(server.base_url),
            method={"trajectory": "recency"},
            optimize={"epochs": 1, "batch_size": 5, "candidates": 2},
            run_dir=tmp_path,
        )
        first = next(body["messages"] for body in server.bodies() if body["model"] == "task")
        asked = next(text for text in map(last_text, server.bodies()) if "<START>" in text)
    assert [turn["role"] for turn in first] == ["system", "user"]
    assert first[0]["content"] == "SYS terse"
    assert first[1]["content"].startswith("USE this: question ")
    assert "one in the system turn, one in the user turn" in asked
    assert set(result.best_prompts) == {"system", "user"}
    assert "{input}" in result.best_prompts["user"], "a placeholder stays"
    sent = result.messages({"input": "question 99"})
    assert [turn["role"] for turn in sent] == ["system", "user"]
    assert sent[0]["content"] == result.best_prompts["system"]


@pytest.mark.parametrize(
    ("name", "turns"), [("user", ["question 1\nSAY it"]), ("system", ["SAY it", "question 1"])]
)
def test_one_prompt_stands_in_the_turn_that_it_is_named_after(name: str, turns: list[str]) -> None:
    rows = [{"input": f"question {n}", "target": "a"} for n in range(12)]
    with ModelServer(answer=lambda body: "a") as server:
        gpo.optimize(
            gpo.Task.from_rows({"train": rows[:1], "dev": rows[1:2], "test": rows[2:3]}, position="system"),
            prompts={name: "SAY it"},
            models=models(server.base_url),
            optimize={"epochs": 1, "batch_size": 1, "candidates": 1},
        )
        bodies = [body for body in server.bodies() if body["model"] == "task"]
    assert [turn["content"] for turn in bodies[0]["messages"]] == turns


@pytest.mark.parametrize(
    ("prompts", "line"),
    [
        (
            {"system": "x", "answer": "y"},
            "prompts.answer: a task without a program has the prompts system and user",
        )
    ],
)
def test_other_names_need_a_program(prompts: dict[str, str], line: str) -> None:
    rows = [{"input": f"question {n}", "target": "a"} for n in range(12)]
    with pytest.raises(gpo.ConfigError, match=line):
        gpo.optimize(gpo.Task.from_rows(rows), prompts=prompts, models="gpt-4o-mini")
