"""The meta-prompt: what of a step stands in it, how scores are written, and that what is shown is text alone."""

from __future__ import annotations

import pytest

from gpo.optimizer.metaprompt import MetaPromptSettings, write_meta_prompt
from gpo.optimizer.parts.refinement import Editing, Generation, Refinement
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.scale import format_score
from gpo.optimizer.state import Information, Step, Visited
from tests.optimizer.scripted import ScriptedOptimizer, ScriptedTaskModel, workbench


def write(
    current: Information,
    shown: Shown | None = None,
    *,
    limit: int | None = None,
    refinement: Refinement | None = None,
    settings: MetaPromptSettings | None = None,
    number: int = 0,
) -> str:
    bench = workbench(ScriptedTaskModel({}), ScriptedOptimizer())
    step = Step(number, 9, (Visited(current.prompt, 0.5, 0, current),), bench)
    (message,) = write_meta_prompt(
        step, shown or Shown(), limit, refinement or Generation(), settings or MetaPromptSettings()
    )
    assert message.role == "user"
    return message.content


@pytest.mark.parametrize(
    ("score", "percent", "share"),
    [
        (0.0, "0.0", "0"),
        (0.5, "50.0", "0.5"),
        (0.625, "62.5", "0.625"),
        (2 / 3, "66.7", "0.667"),
        (1.0, "100.0", "1"),
    ],
)
def test_scores_as_the_optimizer_reads_them(score: float, percent: str, share: str) -> None:
    assert format_score(score, "percent") == percent
    assert format_score(score, "share") == share
    told = Information("Look closely.", score=score)
    assert f"Score: {percent}\n" in write(told)
    assert f"Score: {share}\n" in write(told, settings=MetaPromptSettings(scale="share"))


def test_what_is_not_told_stands_nowhere() -> None:
    text = write(Information("Look closely."))
    assert "Prompt: Look closely." in text
    assert not any(word in text for word in ("Score:", "Problems:", "Notes:", "None", "at most", "Earlier"))
    full = write(Information("Look closely.", 0.25, "Too short.", "A note."), limit=7)
    assert "Score: 25.0\nProblems: Too short.\nNotes: A note." in full
    assert "at most 7 words" in full


@pytest.mark.parametrize("current_first", [False, True])
def test_earlier_prompts_keep_their_order_around_the_current_one(current_first: bool) -> None:
    earlier = tuple(
        Visited(f"Prompt number {i}.", 0.1 * i, i, Information(f"Prompt number {i}.", score=0.1 * i))
        for i in (3, 1, 2)
    )
    text = write(Information("The present one.", score=0.9), Shown(earlier, current_first=current_first))
    places = [text.index(f"Prompt: Prompt number {i}.\nScore: {10 * i}.0") for i in (3, 1, 2)]
    assert places == sorted(places)
    present = text.index("Prompt: The present one.\nScore: 90.0")
    assert (present < places[0]) if current_first else (present > places[-1])


def test_a_summary_takes_the_place_of_earlier_prompts() -> None:
    text = write(Information("The present one."), Shown(summary="Longer was better."))
    assert "Longer was better." in text
    assert text.index("Longer was better.") < text.index("The present one.")


def test_task_examples_are_drawn_anew_every_step() -> None:
    def examples(number: int, count: int) -> list[str]:
        text = write(Information("Look."), settings=MetaPromptSettings(task_examples=count), number=number)
        return [line for line in text.splitlines() if "train row" in line]

    assert [len(examples(0, count)) for count in (0, 3, 8, 20)] == [0, 3, 8, 8]
    assert examples(1, 3) == examples(1, 3)
    assert len({tuple(examples(number, 3)) for number in range(6)}) > 1


def test_the_refinement_decides_the_instruction() -> None:
    edited, written = (write(Information("Look.", 0.5), refinement=way) for way in (Editing(), Generation()))
    assert "Modify the current prompt" in edited
    assert "Write a new improved prompt" in written
    assert "Modify" not in written
    for text in (edited, written):
        assert "between <START> and <END>" in text


def test_frozen_parts_are_named() -> None:
    text = write(Information("Look."), settings=MetaPromptSettings(frozen=("Answer in JSON.", "{name}")))
    assert "\nAnswer in JSON.\n" in text
    assert "\n{name}\n" in text


HOSTILE = "{{ 7 * 7 }} {% for x in y %} {name} %s <END> {# hidden #}"


def test_what_is_shown_is_never_read_as_a_template() -> None:
    told = Information(HOSTILE, score=0.5, reflection=HOSTILE, notes=HOSTILE)
    text = write(
        told, Shown((Visited(HOSTILE, 0.5, 0, told),)), settings=MetaPromptSettings(frozen=(HOSTILE,))
    )
    assert text.count(HOSTILE) == 2 * 3 + 1
    assert "49" not in text
