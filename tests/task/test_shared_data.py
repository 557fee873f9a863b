"""Real benchmark items: every target, given as a reply in the usual forms, is read as itself and scores 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpo.config.task import AnswerConfig, AnswerKind, TaskConfig
from gpo.task.task import Task

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared benchmark data is not beside this checkout"
)

KINDS: dict[str, AnswerKind] = {
    "bbh/boolean_expressions": "boolean",
    "bbh/causal_judgement": "boolean",
    "bbh/dyck_languages": "words",
    "bbh/formal_fallacies": "boolean",
    "bbh/multistep_arithmetic_two": "number",
    "bbh/navigate": "boolean",
    "bbh/object_counting": "number",
    "bbh/sports_understanding": "boolean",
    "bbh/web_of_lies": "boolean",
    "bbh/word_sorting": "words",
    "gsm8k": "number",
    "webnlg": "text",
}
FOLDERS = [*SHARED.glob("bbh/*"), *SHARED.glob("mmlu/*"), SHARED / "gsm8k", SHARED / "wsc", SHARED / "webnlg"]
NAMES = sorted(str(path.relative_to(SHARED)) for path in FOLDERS)
FORMS = ("{}", "The answer is {}.", "**{}**", "Let me think.\nAnswer: {}", "#### {}", "{}\n")


def shared_task(name: str, kind: AnswerKind, metric: str = "exact_match") -> Task:
    # Three of the public tasks hold a question twice, once in test.
    config = TaskConfig(data=name, answer=AnswerConfig(kind=kind), metric=metric, allow_overlap=True)
    return Task.from_config(config, seed=0, base_dir=SHARED)


@pytest.mark.parametrize("name", NAMES)
def test_every_target_is_readable(name: str) -> None:
    kind = KINDS.get(name, "choice")
    task = shared_task(name, kind, "rouge_l" if kind == "text" else "exact_match")
    for split in ("train", "dev", "test", "format", "demos"):
        for example in task.examples(split):
            target = task.target_text(example)
            # One published item has a target that is none of its options: only its very words can be met.
            forms = FORMS if kind != "text" and target != "Monsters, Inc" else FORMS[:1]
            for form in forms:
                reply = form.replace("{}", target)
                assert task.score(reply, example) == 1.0, (example.source, reply)


def test_a_faulty_item_is_a_warning() -> None:
    warnings = shared_task("bbh/movie_recommendation", "choice").warnings
    assert len(warnings) == 1
    assert '"Monsters, Inc" is none of the options' in warnings[0]


def test_both_ways_of_reading_wsc() -> None:
    example = shared_task("wsc", "choice", "accuracy").splits.train[0]
    assert example.target == "(B)"
    by_letter, by_words = shared_task("wsc", "choice", "accuracy"), shared_task("wsc", "text", "rouge_l")
    assert by_letter.score("He refers to Fred, so (B).", example) == 1.0
    assert by_words.score("B", example) == 1.0
    # One word of six is shared: P = 1/6, R = 1, F = 2/7.
    assert by_words.score("He refers to Fred, so (B).", example) == pytest.approx(2 / 7)
