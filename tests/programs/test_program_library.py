"""gpo+ on programs: which prompt the output comes from, what its start prompts say, worked examples in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpo
from gpo.evaluation.outcome import Outcome, TracedCall
from gpo.optimizer.candidates import Guard
from gpo.optimizer.plus.material import NO_PLACE
from gpo.optimizer.plus.moves.demonstrations import deal
from gpo.optimizer.plus.moves.library import FINAL
from gpo.optimizer.plus.moves.program_library import (
    ALONE,
    KEEP,
    QUOTE,
    build_program_library,
    choose_program_clauses,
)
from gpo.optimizer.plus.moves.target_form import describe_form
from gpo.optimizer.plus.output_part import find_output_part, quotes_source
from gpo.task.demonstrations import Demonstration, join_prompt, split_named, split_prompt
from gpo.task.example import Example
from gpo.task.program.parts import join_parts, split_parts
from tests.programs.support import draw, models, told
from tests.support.server import ModelServer, last_text

PROMPTS = {"answer": "Answer the question.", "rewrite": "Write a query"}
FORM = "Answer in at most 3 words."
PLACES = ("north", "south", "east", "west", "the old town", "up", "down", "beside it", "far away")


def rows(sizes: Mapping[str, int]) -> dict[str, list[dict[str, str]]]:
    return {
        name: [
            {"question": f"Where is {name} thing {n}?", "answer": PLACES[draw(f"{name} {n}") % len(PLACES)]}
            for n in range(size)
        ]
        for name, size in sizes.items()
    }


ROWS = rows({"train": 16, "dev": 10, "test": 10})


async def run(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    query = await model(f"{prompts['rewrite']}\n\nQuestion: {row['question']}")
    source = f"It is {row['answer']}." if query == row["question"] else "nothing"
    return str(await model(f"{source}\n\nQuestion: {row['question']}\n\n{prompts['answer']}"))


def metric(output: str, row: Mapping[str, Any]) -> float:
    return float(output == row["answer"])


def reply(body: dict[str, Any]) -> str:
    """The task model answers well where it is told the form and shown examples; the optimizer's words are of no
    use."""
    text = last_text(body)
    if body["model"] == "optimizer":
        return f"<START>What about number {body['seed'] % 97}?<END>"
    question = text.split("Question: ")[1].split("\n")[0]
    if text.endswith(question):
        return question
    found = text.split(".\n\n", 1)[0].removeprefix("It is ")
    if found in PLACES and FORM in text and "<Demonstrations>" in text:
        return found
    return "It is hard to say."


def optimize(server: ModelServer, run_dir: Path | None, program: Any = run, **settings: Any) -> gpo.Result:
    """With `settings` of gpo+, and `changes` of the rest."""
    changes = settings.pop("changes", {})
    task = gpo.Task.from_program(ROWS, program, metric=metric)
    return gpo.optimize(
        task,
        prompts=settings.pop("prompts", PROMPTS),
        models=models(server.base_url),
        method={"name": "gpo+", "budget": 130, "reflection": False, **settings},
        run_dir=run_dir,
        **changes,
    )


def shown_in(texts: list[str]) -> set[str]:
    """The questions of all worked examples that the task model was sent."""
    return {example.input.removeprefix("question: ") for text in texts for example in split_prompt(text)[1]}


@dataclass(frozen=True)
class Whole:
    """A run, what it sent, where it is kept, and the server."""

    result: gpo.Result
    sent: list[str]
    folder: Path
    server: ModelServer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole") / "run"
    with ModelServer(answer=reply) as server:
        yield Whole(optimize(server, folder), [*map(last_text, server.bodies())], folder, server)


def test_form_and_examples_are_found(whole: Whole) -> None:
    result, shown = whole.result, shown_in(whole.sent)
    assert result.improvement.verdict == "better"
    words, examples = split_prompt(result.best_prompts["answer"])
    assert FORM in words
    assert examples
    assert "<Demonstrations>" not in result.best_prompts["rewrite"]
    train = {row["question"]: row["answer"] for row in ROWS["train"]}
    assert shown <= train.keys(), "rows of dev and test are never shown"
    asked = {text.split("Question: ")[1].split("\n")[0] for text in whole.sent if "Question: " in text}
    assert not shown & asked, "no row is shown and scored"
    assert all(train[item.input.removeprefix("question: ")] == item.answer for item in examples)
    assert result.extra["gpo+"]["best"]["demonstrations"] == len(examples)
    starts = ["start", FORM, FINAL, f"{FORM} with demonstrations"]
    assert list(result.extra["gpo+"]["starts"]) == starts


def test_a_replay_is_the_run(whole: Whole) -> None:
    (whole.folder / "result.json").unlink()
    assert told(optimize(whole.server, whole.folder)) == told(whole.result)
    assert whole.server.stats.calls == len(whole.sent)


def test_a_run_that_was_stopped_goes_on_to_the_same_end(whole: Whole, tmp_path: Path) -> None:
    with ModelServer(answer=reply) as server:
        with pytest.raises(gpo.BudgetError):
            optimize(server, tmp_path / "run", changes={"budget": {"max_calls": 70}})
        end = optimize(server, tmp_path / "run", changes={"budget": {"max_calls": 10_000}})
        assert server.stats.calls == len(whole.sent), "nothing is asked twice"
    assert (end.best_prompt, end.scores, end.steps) == (
        whole.result.best_prompt,
        whole.result.scores,
        whole.result.steps,
    )


def test_what_was_found_can_be_scored_and_gone_on_from(whole: Whole) -> None:
    best = whole.result.best_prompts
    task = gpo.Task.from_program(ROWS, run, metric=metric)
    with ModelServer(answer=reply) as server:
        score = gpo.evaluate(task, prompt=best, model=models(server.base_url)["task"], split="test")
        again = optimize(server, None, prompts=best, budget=50)
    assert score.interval.mean == again.scores.initial.test == again.scores.best.test == 1.0
    for step in again.steps:
        assert step["prompt"].count("<Demonstrations>") <= 1, "its words and its examples are two things"


@pytest.mark.parametrize("off", ["library", "demonstrations"])
def test_each_can_be_switched_off(off: str) -> None:
    with ModelServer(answer=reply) as server:
        result = optimize(server, None, budget=60, **{off: False})
        shown = shown_in([*map(last_text, server.bodies())])
    found = result.extra["gpo+"]
    assert (len(found["starts"]) == 1) is (off == "library")
    assert found["plan"]["screened"] == len(found["starts"]), "the plan fits the library"
    assert (not shown) is (off == "demonstrations")


async def wraps(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    return f"<{await run(prompts, row, model)}>"


def test_an_output_of_the_programs_own_making_has_no_examples() -> None:
    with ModelServer(answer=reply) as server:
        result = optimize(server, None, wraps, budget=100)
        assert shown_in([*map(last_text, server.bodies())]) == set()
    assert NO_PLACE in result.extra["warnings"]
    starts = result.extra["gpo+"]["starts"]
    assert {f"All: {ALONE}", f"rewrite: {FORM} The others: {ALONE}"} <= starts.keys()


def outcome(output: str, *calls: tuple[tuple[str, ...], str], asked: str = "") -> Outcome:
    trace = tuple(TracedCall(parts, asked, said) for parts, said in calls)
    return Outcome(Example("1", "q", "t"), 1.0, output, output, trace=trace)


def test_the_prompt_that_the_output_comes_from() -> None:
    two = outcome("b", (("rewrite",), "a"), (("answer",), "b"))
    assert find_output_part(("answer", "rewrite"), [two]) == "answer"
    # A loop: the first prompt stands in every call.
    loop = outcome("7", (("act",), "calc(3 + 4)"), (("act", "go_on"), "7"))
    at_once = outcome("8", (("act",), "8"))
    assert find_output_part(("act", "go_on"), [loop, at_once, at_once]) == "go_on"
    assert find_output_part(("act", "go_on"), [at_once] * 9) is None, "no run came to the second prompt"
    assert find_output_part(("act", "go_on"), [loop, *[at_once] * 9]) == "act"
    assert find_output_part(("a", "b"), [outcome("x", (("a", "b"), "x"))]) == "b", "of equals the later one"
    assert find_output_part(("a", "b"), [outcome("made up", (("a",), "x"), (("b",), "y"))]) is None
    assert find_output_part(("a", "b"), [outcome("x")]) is None, "no calls are seen"
    assert find_output_part(("only",), []) == find_output_part(("only",), [at_once]) == "only"
    assert find_output_part(("only",), [outcome("<8>", (("only",), "8"))]) is None
    read = outcome("b", (("answer",), "b"), asked="The ferry waits at the Eastern jetty.")
    assert quotes_source([read, read], ["eastern", "western"])
    assert not quotes_source([read, read], ["western", "western"])
    assert not quotes_source([outcome("b")], ["b"])


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (["yes", "no"] * 3, "Answer with exactly one of these: no, yes."),
        (["yes", "no"] * 2, "Answer with one word."),
        (["12", "-3.5", "7", "8"], "Answer with the number alone, in digits."),
        (["a quarter of an hour", "nine", "six"], "Answer in at most 5 words."),
        (
            ['{"b": 1, "a": 2}', '{"a": 3, "b": 4, "c": 5}'],
            "Answer with one line of JSON that has the keys b, a, and nothing else.",
        ),
        (['{"b": 1}', "[1]"], "Answer in at most 2 words."),
        (["word " * 13, "nine"], ""),
        ([], ""),
    ],
)
def test_the_form_of_answers_is_read_off_them(targets: list[str], sentence: str) -> None:
    assert describe_form(targets) == sentence


def test_rows_that_cannot_be_shown_are_not() -> None:
    odd = [{"question": f"odd {n}?", "answer": text} for n, text in enumerate(["", "<Part a>"] * 4)]
    task = gpo.Task.from_program({**ROWS, "train": [*ROWS["train"], *odd]}, run, metric=metric)
    shown = deal(task, "", Random(1)).shown
    assert shown
    assert not any("odd" in item.input for item in shown)


def test_no_test_row_is_read_for_the_form() -> None:
    task = gpo.Task.from_program(
        {**ROWS, "test": [{"question": "q?", "answer": "a very long answer indeed"}] * 1}, run, metric=metric
    )
    clauses = choose_program_clauses(replace(task, parts=("a",)), "a", 32, quotes=False)
    assert clauses.output == (FORM, FINAL, ALONE)


def test_the_library_of_a_program() -> None:
    task = replace(gpo.Task.from_program(ROWS, run, metric=metric), parts=("answer", "rewrite", "check"))
    texts = {"answer": "Answer it.", "rewrite": "Rewrite it", "check": "Check it."}
    guard = Guard(parts=dict.fromkeys(texts, Guard()))
    clauses = choose_program_clauses(task, "answer", 32, quotes=True)
    assert clauses.by_part == {
        "answer": (FORM, FINAL, ALONE, QUOTE),
        "rewrite": (ALONE, KEEP),
        "check": (ALONE, KEEP),
    }
    shown = (Demonstration("a", "b"),)
    starts = {start.name: start for start in build_program_library(join_parts(texts), clauses, guard, shown)}
    form = split_parts(starts[FORM].words, task.parts)
    assert form == {**texts, "answer": "Answer it. Answer in at most 3 words."}
    both = split_parts(starts[f"{FORM} The others: {ALONE}"].words, task.parts)
    assert both == {**form, "rewrite": f"Rewrite it\n{ALONE}", "check": f"Check it. {ALONE}"}
    assert starts[f"{FORM} with demonstrations"].demonstrations == shown
    # Where a sentence would break what a prompt has to keep, there is no such start.
    frozen = Guard(parts={**guard.parts, "answer": Guard(max_words=4)})
    kept = [start.name for start in build_program_library(join_parts(texts), clauses, frozen, ())]
    assert kept == ["start", f"The others: {ALONE}", f"The others: {KEEP}"]
    alone = choose_program_clauses(replace(task, parts=("only",)), "only", 32, quotes=False)
    words = [start.words for start in build_program_library("Answer it.", alone, Guard(), ())]
    assert words[:2] == ["Answer it.", "Answer it. Answer in at most 3 words."]


TEXT = st.text(max_size=20) | st.sampled_from(["</Part>", "\n</Part>\n", "</Demonstrations>", '"'])


@given(
    st.lists(st.builds(Demonstration, TEXT, TEXT, part=st.just("b")), min_size=1, max_size=3),
    st.sampled_from(["", "Say it.", "<Other>"]),
)
def test_words_and_examples_of_a_part_come_back(examples: list[Demonstration], text: str) -> None:
    words = join_parts({"a": "first", "b": text})
    assert split_named(join_prompt(words, examples), ("a", "b")) == (words, tuple(examples))
