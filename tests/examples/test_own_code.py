"""The code of the two programs: metrics and tools against values worked out by hand, and what a model may write."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from tests.examples.scripts import EXAMPLES, read_jsonl


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / name / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RAG, TOOLS = load("rag"), load("tools")


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("Irena Vold", 1),
        (" irena vold. ", 1),
        ("It is Irena Vold.", 0.5),
        ("Irena", 0),
        ("Irena Voldemar runs it", 0),
        ("", 0),
    ],
)
def test_an_answer_with_more_words_is_half_right(output: str, value: float) -> None:
    assert RAG.metric(output, {"answer": "Irena Vold"})[0] == value


def test_the_words_of_a_question_find_most_answers_and_not_all() -> None:
    rows = read_jsonl("rag/questions.jsonl")
    found = sum(any(row["answer"] in text for text in RAG.search(row["question"])) for row in rows)
    assert 0.75 * len(rows) <= found < len(rows)  # what a better query can gain
    assert RAG.search("is the of") == []


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("417 * 23", "9591"),
        ("2 + 3 * (10 - 4)", "20"),
        ("9 ** 9 ** 9", "cannot be computed"),
        ("__import__('os').getcwd()", "cannot be computed"),
        ("1 / 0", "cannot be computed"),
        ("1.5 * 2", "cannot be computed"),
        ("(" * 60, "cannot be computed"),
        ("1\x00", "cannot be computed"),
        ("", "cannot be computed"),
    ],
)
def test_the_calculator_takes_sums_and_nothing_else(expression: str, value: str) -> None:
    assert TOOLS.calculate(expression) == value


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        ("calc(12 * 12)", "12 * 12 = 144"),
        ("I use price(Lamps).", "lamp costs 1799"),
        ("price('car')", "car has no price"),
        ("calc(2 + 2) and price(egg)", "2 + 2 = 4"),
        ("calc(3 * price('Pens'))", "3 * 149 = 447"),
        ("calc(3 * price(car))", "3 * price(car) = cannot be computed"),
        ("calc((1 + 2) * 4)", "(1 + 2) * 4 = 12"),
        ("It is 144.", None),
        ("recalc(1)", None),
    ],
)
def test_the_first_call_in_a_reply_is_carried_out(reply: str, seen: str | None) -> None:
    assert TOOLS.use_tool(reply) == seen


def test_answers_are_what_the_tools_give() -> None:
    for row in read_jsonl("tools/questions.jsonl"):
        numbers = [int(word) for word in row["question"].replace(".", " ").split() if word.isdigit()]
        things = [name for name in TOOLS.PRICES if f" {name}s" in row["question"]]
        factors = [*numbers, *(TOOLS.PRICES[name] for name in things)]
        assert factors[0] * factors[1] == row["answer"], row
        assert len(factors) == 2


@pytest.mark.parametrize(
    ("output", "value"), [("= 9,591", 1), ("417 * 23 = 9591", 1), ("9591 or 12", 0), ("many", 0)]
)
def test_the_last_number_counts(output: str, value: float) -> None:
    assert TOOLS.metric(output, {"answer": 9591})[0] == value
