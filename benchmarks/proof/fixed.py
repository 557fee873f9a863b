"""The fixed prompts that need no search: what every optimizer has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.proof.tasks import THINK, balanced
from gpo.task.example import Example
from gpo.task.task import Task

DEMONSTRATIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPrompt:
    """Words and worked examples, with the name that tables give them."""

    name: str
    text: str
    demos: tuple[Example, ...] = ()


def hint(task: Task) -> str:
    """What an answer of `task` may be, as an instruction; "" where nothing can be said."""
    return f"Answer with {task.answer_form} only." if task.answer_form else ""


def fixed_prompts(task: Task, demo_rows: Sequence[Example], seed: int) -> list[FixedPrompt]:
    """The six, in the order of the tables. `demo_rows` are rows that none of them is scored on."""
    demos = balanced(task, demo_rows, DEMONSTRATIONS, Random(f"demonstrations/{task.name}/{seed}"))
    form = task.answer_form or "the answer"
    return [
        FixedPrompt(name="empty", text=""),
        FixedPrompt(name="think", text=THINK),
        FixedPrompt(name="final only", text="Answer with only the final answer."),
        FixedPrompt(name="hint", text=hint(task)),
        FixedPrompt(
            name="think, then answer",
            text=f'Think it through in a few short sentences. Then end with "Answer:" and {form}.',
        ),
        FixedPrompt(name="hint + 4 demonstrations", text=hint(task), demos=demos),
    ]
