"""What stands around a question on the wire: by preset, for chats and base models, and with a frame of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.config.load import parse_config
from gpo.run.plan import assemble
from tests.support.landscape import Landscape
from tests.support.runs import config, write_task
from tests.support.server import ModelServer, all_text

QA = "Q: Item 16: does it go left or right?\namber anchor\nA:"
PLAIN = "Item 16: does it go left or right?\namber anchor"


@pytest.mark.parametrize(
    ("preset", "chat", "frame", "asked"),
    [
        ("paper", True, None, PLAIN),
        ("paper", False, None, QA),
        ("released", True, None, PLAIN),
        ("released", False, None, PLAIN),
        ("paper", True, "qa", QA),
        ("released", True, "qa", QA),
        ("paper", False, "plain", PLAIN),
    ],
)
def test_the_first_question_of_dev(
    server: ModelServer, tmp_path: Path, preset: str, chat: bool, frame: str | None, asked: str
) -> None:
    server.answer = Landscape().answer
    settings: dict[str, Any] = config(
        server, write_task(tmp_path / "data", Landscape()), method="cot", preset=preset
    )
    settings["task"] |= {"frame": frame}
    settings["models"]["task"] |= {"chat": chat}
    settings["prompt"] = "amber anchor"
    gpo.evaluate(
        settings["task"],
        settings["prompt"],
        model=settings["models"]["task"],
        split="dev",
        preset=preset,  # type: ignore[arg-type]
    )
    assert asked in [all_text(body) for body in server.bodies()]


@pytest.mark.parametrize(
    ("preset", "layout", "prompt", "begun"),
    [
        (
            "released",
            2,
            "The following are multiple choice questions about anything.",
            "The following are multiple choice questions about high school physics.",
        ),
        ("released", 2, "Let's think step by step.", "Let's think step by step."),
        (
            "released",
            1,
            "The following are multiple choice questions about anything.",
            "The following are multiple choice questions about anything.",
        ),
        (
            "paper",
            2,
            "The following are multiple choice questions about anything.",
            "The following are multiple choice questions about anything.",
        ),
    ],
)
def test_a_start_prompt_with_the_opening_of_mmlu_names_the_subject_where_the_release_does(
    tmp_path: Path, preset: str, layout: int, prompt: str, begun: str
) -> None:
    folder = tmp_path / "mmlu" / "high_school_physics"
    folder.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        (folder / f"{split}.jsonl").write_text(
            "".join(
                f'{{"input": "{split} {i}?\\n(A) a\\n(B) b", "target": "(A)"}}\n'.replace("\n(", "\\n(")
                for i in range(3)
            )
        )
    model = {"model": "any", "base_url": "http://127.0.0.1:9/v1"}
    plan = assemble(
        parse_config(
            {
                "task": {"data": "mmlu/high_school_physics"},
                "prompt": prompt,
                "models": {"task": model, "optimizer": model},
                "preset": preset,
                "layout": layout,
            }
        ),
        base_dir=tmp_path,
        data_dir=tmp_path,
    )
    assert plan.prompt == begun
