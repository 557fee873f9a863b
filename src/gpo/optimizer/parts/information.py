"""Current information, the analogue of the descent direction: what the optimizer is told about the current prompt.

Paper: Update Direction, Analogical Descent Direction; the rows of Table 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gpo.evaluation.outcome import Outcome
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.coordinates.view import describe_part
from gpo.optimizer.state import Information, Step
from gpo.task.example import Example
from gpo.task.task import Task
from gpo.text import shorten

LONGEST_ASKED, LONGEST_REPLY = 600, 400
"""Characters of a program's call that the optimizer is shown."""
FAILURES = 4
"""Failed examples of a batch that the optimizer is shown at most."""
NO_FAILURE = "the model made no mistake on this step's batch of examples"


class CurrentInformation(Protocol):
    """An option of this part: describes the current prompt of a step."""

    async def describe(self, step: Step) -> Information:
        """What the meta-prompt says about `step.current`."""


@dataclass(frozen=True, slots=True)
class PromptInformation:
    """`prompt`, `prompt+performance`, `prompt+reflection` and `prompt+performance+reflection` in one: the prompt, its
    dev score where `performance`, and what it gets wrong on the train batch where `reflection`.

    `batch_size` rows of train are looked at a step, `failures` of them at most are shown to the optimizer;
    `drop_remainder` as for `count_batches`.
    """

    performance: bool
    reflection: bool
    batch_size: int = 8
    failures: int = FAILURES
    drop_remainder: bool = False

    async def describe(self, step: Step) -> Information:
        """The train batch is evaluated only where a reflection is asked for; a batch without a failure is said to be
        one, and there is nothing to reflect on."""
        current = step.current
        reflection = await self._reflect(step) if self.reflection else None
        return Information(
            prompt=step.words,
            score=current.score if self.performance else None,
            reflection=reflection,
            notes=NO_FAILURE if self.reflection and reflection is None else None,
            part=step.part,
        )

    def calls(self, total: int, sizes: Sizes) -> Calls:
        """Each prompt as the meta-prompt shows it. A reflection reads every train row once an epoch and asks once a
        step, and each prompt that is shown brings its own."""
        if not self.reflection:
            return Calls(shown=PromptContent(prompts=1))
        epochs = -(-total // count_batches(sizes.train, self.batch_size, drop_remainder=self.drop_remainder))
        asked = PromptContent(prompts=1, failures=min(self.failures, self.batch_size))
        return Calls(
            train=RowUse((epochs,) * sizes.train),
            optimizer=(OptimizerCalls(total, 1, sizes.max_tokens, asked),),
            shown=PromptContent(prompts=1, reply_tokens=sizes.max_tokens),
        )

    async def _reflect(self, step: Step) -> str | None:
        bench = step.workbench
        batch = draw_batch(step, self.batch_size, drop_remainder=self.drop_remainder)
        (outcomes,) = await bench.scorer.outcomes([step.current.prompt], batch, "train")
        wrong = [outcome for outcome in outcomes if outcome.value is not None and outcome.value < 1]
        if not wrong:
            return None
        text = bench.templates.render(
            "reflection",
            prompt=step.words,
            part=describe_part(bench.task, step.current.prompt, step.part),
            failures=[describe_failure(bench.task, outcome) for outcome in wrong[: self.failures]],
        )
        return await bench.ask(text, step=step.number, purpose="reflection")


def describe_failure(task: Task, outcome: Outcome) -> dict[str, Any]:
    """A failed example for a template: question, the model's answer, the expected answer, the metric's feedback (""
    where there is none), and of a program the calls that it made."""
    return {
        "question": outcome.example.input,
        "answer": outcome.reply.strip(),
        "expected": task.target_text(outcome.example),
        "feedback": outcome.feedback,
        "trace": describe_trace(outcome),
    }


def describe_trace(outcome: Outcome) -> list[dict[str, str]]:
    """The calls of a program for a template: the prompts that each holds, what it asked and what the reply was."""
    return [
        {
            "parts": ", ".join(call.parts),
            "asked": shorten(call.asked, LONGEST_ASKED),
            "reply": shorten(call.reply, LONGEST_REPLY),
        }
        for call in outcome.trace
    ]


def count_batches(train: int, size: int, *, drop_remainder: bool = False) -> int:
    """Minibatches an epoch, at least 1: ⌈train / size⌉; with `drop_remainder` a last one of less than half its size is
    dropped, as the authors' released code does."""
    whole, rest = divmod(train, size)
    partial = rest > 0 and not (drop_remainder and 2 * rest < size)
    return max(1, whole + partial)


def draw_batch(step: Step, size: int, *, drop_remainder: bool = False) -> Sequence[Example]:
    """The step's minibatch: train is shuffled anew every epoch and cut into consecutive batches of `size`."""
    train = list(step.workbench.task.splits.train)
    epoch, index = divmod(step.number, count_batches(len(train), size, drop_remainder=drop_remainder))
    step.workbench.rng(epoch, "epoch").shuffle(train)
    return train[index * size : (index + 1) * size]


def information(name: str, *, batch_size: int = 8, drop_remainder: bool = False) -> PromptInformation:
    """The option called `name` in a configuration."""
    parts = name.split("+")
    return PromptInformation(
        performance="performance" in parts,
        reflection="reflection" in parts,
        batch_size=batch_size,
        drop_remainder=drop_remainder,
    )
