"""What a model thinks is not its answer: shapes of thoughts, and texts that only talk about them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.model.model import Reply
from gpo.model.reasoning import split_reasoning, without_reasoning


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        ("<think>\nabc\n</think>\n\nB", "B", "abc"),
        ("abc, so A\n</think>\n\nB", "B", "abc, so A"),
        ("abc</think>B", "B", "abc"),
        ("<think>\n\n</think>\n\nB", "B", ""),
        ("< THINK >a</ think >B", "B", "a"),
        ("<thinking>a</thinking>\nB", "B", "a"),
        ("<reasoning>a</reasoning>B", "B", "a"),
        ("<think>a</think>\n<think>b</think>\nB", "B", "a\n\nb"),
        ("[THINK]a[/THINK]B", "B", "a"),
        ("<seed:think>a</seed:think>B", "B", "a"),
        ("<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>B<|end_of_solution|>", "B", "a"),
        ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>B<|END_RESPONSE|>", "B", "a"),
        ("◁think▷a◁/think▷B", "B", "a"),
        ("<|channel>thought\na\n<channel|>B", "B", "a"),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>",
            "B",
            "a",
        ),
        ("analysisWe look.assistantfinalB", "B", "We look."),
        # Thoughts that mention tags, answers that hold them.
        ("<think>a <think> tag</think>B", "B", "a <think> tag"),
        (
            "<think>x</think><START>Reason in <think></think> tags<END>",
            "<START>Reason in <think></think> tags<END>",
            "x",
        ),
        (
            "I could write <START> here\n</think>\n\n<START>x<END>",
            "<START>x<END>",
            "I could write <START> here",
        ),
        ("Well.\n<think>\nx\n</think>\nB", "Well.\n\nB", "x"),
    ],
)
def test_thoughts_are_taken_off(text: str, answer: str, thoughts: str) -> None:
    assert split_reasoning(text) == (answer, thoughts, True)


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "Use the <think> tag to think.",
        "End with </think> and then answer.",
        "Write `</think>` first.",
        "Put your thoughts in <think>…</think> and then the label.",
        "Answer like this:\n<think>\nyour thoughts\n</think>\nthe label",
        "```\n<think>\nx\n</think>\ny\n```\nis the form",
        "<START>Think, close with\n</think>\nand answer<END>",
        "[reasoning] matters",
        "a < b and c > d",
    ],
)
def test_a_text_about_thoughts_is_left_alone(text: str) -> None:
    assert split_reasoning(text) == (text, "", True)


@pytest.mark.parametrize("text", ["<think>a", "<|channel|>analysis<|message|>a", "[THINK] a"])
def test_a_block_without_an_end_leaves_no_answer_and_is_cut(text: str) -> None:
    reply = without_reasoning(Reply(texts=(text, "B"), finish_reasons=("stop", "stop")))
    assert (reply.texts, reply.reasoning, reply.cut) == (("", "B"), ("a", ""), (True, False))


@given(st.text(alphabet="<>/|think \n`:aB[]", max_size=60))
def test_nothing_is_taken_off_twice_and_nothing_fails(text: str) -> None:
    answer, _, ended = split_reasoning(text)
    assert ended or not answer
    assert len(answer) <= len(text)


@pytest.mark.parametrize(
    "part", ["<think>", "</think>", "\n<think>\nx\n</think>\ny", "< ", "<" + " " * 50, "```\n<think>\n"]
)
def test_a_hostile_text_takes_no_more_than_linear_time(part: str) -> None:
    def seconds(size: int) -> float:
        text = part * (size // len(part))
        started = time.process_time()
        split_reasoning(text)
        return time.process_time() - started

    seconds(20_000)
    assert seconds(800_000) < 100 * (seconds(100_000) + 0.01)
