"""One prompt on one example: the first round, the second where the task has one, and the judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gpo.errors import PermanentModelError
from gpo.evaluation.grading import Grader, UnreadableVerdict
from gpo.evaluation.outcome import Cut, Outcome
from gpo.model.model import Model, Reply, Request
from gpo.model.threads import LONG, read_apart
from gpo.task.answer import Prediction
from gpo.task.example import Example
from gpo.task.metrics.own import Grade
from gpo.task.task import Opening, Task
from gpo.value_class import value_class


@dataclass
class ScorerSettings:
    """How the task model is called: `temperature`, `max_tokens` of the first round, of the second, and of a judge's
    verdict."""

    temperature: float = 0.0
    max_tokens: int = 256
    second_round_tokens: int = 100
    judge_tokens: int = 512
    seed: int = 0


@value_class
class Answered:
    """An answer that was read: who gave it to what, by which calls (journal keys, one a round)."""

    prompt: str
    split: str
    example: Example
    prediction: Prediction
    calls: tuple[str, ...]


RecallGrade = Callable[[Answered], Grade | None]
"""Gives the grade that an earlier process of the run recorded for an answer, None where there is none."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Asks `model` about the examples of `task`, and `grader` about its answers."""

    task: Task
    model: Model
    settings: ScorerSettings
    grader: Grader

    async def outcome(
        self, prompt: str, example: Example, split: str = "", recall: RecallGrade | None = None
    ) -> Outcome:
        """What becomes of `prompt` on `example`; a call that cannot be answered is an outcome without a value.

        `recall` knows grades of an earlier process, which are taken as they are. Raises `PermanentModelError` where no
        further call would succeed either, `BudgetError`, and `ConfigError` where an own metric fails.
        """
        calls: list[str] = []
        opening = self.task.opening(prompt, example)
        # What the calls of one group begin with: the prompt where it stands in front, else the question.
        prefix_group = f"prompt {prompt}" if self.task.leads(prompt) else f"example {example.id}"
        try:
            form = self.task.reply_format(example, closing=False)
            reply = await self._ask(opening, self.settings.max_tokens, calls, prefix_group, form)
            cut = _find_cut(reply, 1)
            closing = self.task.closing(opening, reply.text)
            if closing is not None:
                form = self.task.reply_format(example, closing=True)
                reply = await self._ask(
                    closing, self.settings.second_round_tokens, calls, prefix_group, form, continues=True
                )
                cut = _find_cut(reply, 2) or cut
        except PermanentModelError as error:
            if error.scope == "run":
                raise
            return Outcome(example, None, calls=tuple(calls), failure=str(error))
        if len(reply.text) > LONG:
            found = await read_apart(self.task.find_answer, reply.text, example, cut=_is_cut(reply))
        else:
            found = self.task.find_answer(reply.text, example, cut=_is_cut(reply))
        prediction, targets = found
        answered = Answered(prompt, split, example, prediction, tuple(calls))
        if prediction is None:
            grade = Grade(0.0)
        else:
            known = recall(answered) if recall and self.grader.remembers else None
            try:
                grade = known or await self.grader.grade(prediction, targets, example)
            except PermanentModelError as error:
                if error.scope == "run":
                    raise
                asked = (error.call,) if isinstance(error, UnreadableVerdict) and error.call else ()
                return Outcome(example, None, calls=(*calls, *asked), failure=str(error))
        return Outcome(
            example,
            grade.value,
            prediction,
            reply.text,
            (*calls, *grade.calls),
            cut=cut,
            feedback=grade.feedback,
        )

    async def _ask(
        self,
        text: Opening,
        max_tokens: int,
        calls: list[str],
        prefix_group: str,
        form: str,
        *,
        continues: bool = False,
    ) -> Reply:
        settings = self.settings
        messages, plain = ((), text) if isinstance(text, str) else (text, None)
        reply = await self.model.complete(
            Request(
                messages=messages,
                prompt=plain,
                temperature=settings.temperature,
                max_tokens=max_tokens,
                stop=self.task.stop,
                seed=settings.seed if settings.temperature > 0 else None,
                purpose="score",
                prefix_group=prefix_group,
                continues=continues,
                response_format=form,
            )
        )
        if reply.call:
            calls.append(reply.call)
        return reply


def _is_cut(reply: Reply) -> bool:
    return any(reply.cut[:1])


def _find_cut(reply: Reply, number: int) -> Cut | None:
    return Cut(number, reply.text) if _is_cut(reply) else None
