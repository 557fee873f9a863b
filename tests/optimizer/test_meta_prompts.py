"""The whole meta-prompts of the third step, as approved snapshots, and what stands in them for each kind of answer.

The paper asks chat models twice (rounds: 2), so nothing in a meta-prompt may ask for the bare answer there: of the
authors' best prompts those of most tasks ask to reason. A snapshot that is missing is written, to be read and approved.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gpo.evaluation.rounds import ScorerSettings
from gpo.evaluation.score import Scorer
from gpo.model.callable import CallableModel
from gpo.optimizer.choose import choose
from gpo.optimizer.metaprompt import MetaPromptSettings, write_meta_prompt
from gpo.optimizer.methods import METHODS, Method, Preset, score_scale
from gpo.optimizer.parts.trajectory import trajectory
from gpo.optimizer.state import Information, Step, Visited
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.task.task import Task
from tests.optimizer.scripted_runs import PROMPTS, Scripted, Words, rows, run, write

SNAPSHOTS = Path(__file__).with_name("snapshots")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "gsm8k"

# The first two are asked in two rounds of 256 and 100 tokens. Tickets is asked in one; "tickets-short" in 16 tokens.
ANSWERS: dict[str, dict[str, Any]] = {
    "object_counting": {"kind": "number", "rounds": 2},
    "gsm8k": {"kind": "number", "rounds": 2},
    "tickets": {"kind": "label"},
}


def third_step(
    monkeypatch: pytest.MonkeyPatch, folder: Path, task: str, splits: Any = None, **changes: Any
) -> str:
    splits = splits or rows(task)
    data = {"data": str(write(folder / "data", splits)), "answer": ANSWERS[task]}
    found = run(monkeypatch, data, Scripted(splits), **changes)
    assert len(found) == 3
    return found[2]


def approve(name: str, text: str) -> None:
    """Raises where `text` is not what was approved under `name`."""
    approved = SNAPSHOTS / f"{name}.txt"
    if not approved.exists():
        approved.parent.mkdir(exist_ok=True)
        approved.write_text(text + "\n")
        pytest.fail(f"wrote {approved.name}: read it with the paper beside it, and run again")
    assert text + "\n" == approved.read_text()


@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("task", ANSWERS)
@pytest.mark.parametrize("method", METHODS)
def test_the_meta_prompt_of_the_third_step_is_the_approved_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, method: str, task: str, preset: str
) -> None:
    approve(
        f"{method}-{task}-{preset}", third_step(monkeypatch, tmp_path, task, method=method, preset=preset)
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason="the benchmark's rows are not here")
def test_the_meta_prompt_on_the_published_rows_differs_in_its_examples_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    splits = {
        name: [json.loads(line) for line in (SHARED / f"{name}.jsonl").read_text().splitlines()][:size]
        for name, size in (("train", 24), ("dev", 8), ("test", 2))
    }
    found = third_step(monkeypatch, tmp_path, "gsm8k", splits, method="ape")
    approved = (SNAPSHOTS / "ape-gsm8k-paper.txt").read_text()
    assert _without_examples(found) == _without_examples(approved)
    assert found.count("\n<Prompt>\nRight answer: ") == 3


def _without_examples(text: str) -> tuple[str, str]:
    head, _, rest = text.partition("Examples of the task")
    current = re.sub(
        r"(?<=Prompt: ).*", "…", head
    )  # scores depend on the rows, and so does which prompt is current
    return current, rest[rest.index("Write ") :].strip()


KINDS: dict[str, tuple[dict[str, Any], Any]] = {
    "label": ({"kind": "label", "labels": ["red", "blue"]}, "red"),
    "choice": ({"kind": "choice"}, "(A)"),
    "number": ({"kind": "number"}, 4),
    "boolean": ({"kind": "boolean"}, "Yes"),
    "words": ({"kind": "words"}, "ant bee cow"),
    "text": ({"kind": "text"}, "a sentence"),
}


READINGS = {"two rounds": (2, 256), "one round": (1, 256), "one round of 16 tokens": (1, 16)}


def task_of(kind: str, rounds: int) -> Task:
    answer, target = KINDS[kind]
    names = ("train", "dev", "test")
    made = {name: [{"input": f"{name} {i}?", "target": target} for i in range(9)] for name in names}
    return Task.from_rows(made, answer={**answer, "rounds": rounds})


async def meta_prompt_of(task: Task, max_tokens: int, method: str, preset: Preset) -> str:
    """The one that follows two earlier prompts."""
    model = CallableModel(
        Scripted({"dev": [{"input": row.input, "target": "?"} for row in task.splits.train]})
    )
    scorer = Scorer(task, model, ScorerSettings(max_tokens=max_tokens))
    bench = Workbench(
        task=task, scorer=scorer, optimizer=model, templates=Templates(), embed=Words().embed, seed=0
    )
    parts = choose(method, preset=preset)
    assert isinstance(parts, Method)
    visited = [
        Visited(prompt, score, number, Information(prompt))
        for number, (prompt, score) in enumerate(zip(PROMPTS[:3], (0.25, 0.5, 0.4), strict=True))
    ]
    for number in (1, 2, 3):
        step = Step(number - 1, 18, visited[:number], bench)
        visited[number - 1] = step.current.informed(await parts.information.describe(step))
        step = Step(number - 1, 18, visited[:number], bench)
        shown = await parts.trajectory.show(step)
    settings = MetaPromptSettings(scale=score_scale(preset))
    limit = parts.edit_distance.limit(2, 18)
    return write_meta_prompt(step, shown, limit, parts.refinement, settings)[0].content


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_said_of_each_kind_of_answer_is_approved(kind: str) -> None:
    told = []
    for title, (rounds, max_tokens) in READINGS.items():
        text = await meta_prompt_of(task_of(kind, rounds), max_tokens, "gpo", "paper")
        head, end = text.splitlines()[1:2], text.splitlines()[-3:]
        told.append("\n".join([f"== {title}", *filter(None, head), "…", *end]))
    approve(f"answers-{kind}", "\n\n".join(told))


@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("method", METHODS)
async def test_every_method_says_the_same_of_an_answer_but_for_the_variants_of_ape(
    method: str, preset: Preset
) -> None:
    for kind in KINDS:
        approved = (SNAPSHOTS / f"answers-{kind}.txt").read_text()
        for title, (rounds, max_tokens) in READINGS.items():
            text = await meta_prompt_of(task_of(kind, rounds), max_tokens, method, preset)
            asked, said, form = text.splitlines()[-3:]
            assert form == "Reply with the new prompt alone, between <START> and <END>."
            section = approved.split(f"== {title}\n")[1].split("\n\n")[0].splitlines()
            if method == "ape":
                assert (asked, said) == APE
            else:
                assert said == section[-2]
                assert asked.startswith("Modify the" if method in ("apo", "sgdm") else "Write a new improved")


APE = (
    "Write a variant of the current prompt: say the same thing in other words.",
    "It fits every question, as the current prompt does, so it does not repeat or answer the examples.",
)


@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "text"])
async def test_where_the_answer_is_asked_for_again_nothing_keeps_a_prompt_from_asking_to_reason(
    kind: str, method: str, preset: Preset
) -> None:
    twice = await meta_prompt_of(task_of(kind, 2), 256, method, preset)
    once = await meta_prompt_of(task_of(kind, 1), 256, method, preset)
    for text in (twice, once):
        assert not re.search(
            r"alone(?!, between <START>)|nothing but|only the|just the",
            text.lower().replace("<start>", "<START>"),
        )
    assert "end with" not in twice
    assert ("end with" in once) == (method != "ape")


@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("method", METHODS)
async def test_the_past_is_to_be_learnt_from_where_it_is_shown(method: str, preset: Preset) -> None:
    text = await meta_prompt_of(task_of("number", 2), 256, method, preset)
    learn = [line for line in text.splitlines() if line.startswith("Learn from")]
    past = METHODS[method].trajectory
    if past == "none":
        assert learn == []
    elif past == "summarization":
        assert learn == ["Learn from what is said about the earlier prompts."]
    else:
        (line,) = learn
        assert line.startswith("Learn from the earlier prompts and their scores")


@pytest.mark.parametrize(
    ("preset", "shown"), [("paper", ["Score: 25.0", "0 to 100"]), ("released", ["Score: 0.25", "0 to 1,"])]
)
async def test_a_summary_is_given_the_scale_of_the_meta_prompt(preset: Preset, shown: list[str]) -> None:
    asked: list[str] = []

    async def listen(prompt: str) -> str:
        asked.append(prompt)
        return "A summary."

    task = task_of("number", 2)
    model = CallableModel(listen)
    bench = Workbench(
        task=task, scorer=Scorer(task, model), optimizer=model, templates=Templates(), embed=Words().embed
    )
    points = [
        Visited(name, score, number, Information(name, score))
        for number, (name, score) in enumerate([("first", 0.25), ("second", 1 / 24)])
    ]
    summarization = trajectory("summarization", scale=score_scale(preset))
    await summarization.show(Step(0, 6, points[:1], bench))
    await summarization.show(Step(1, 6, points, bench))
    (text,) = asked
    assert all(part in text for part in shown)
    assert ("Score: 4.2" if preset == "paper" else "Score: 0.042") in text
