"""The meta-prompt: what the optimizer model reads before it writes a prompt (paper, The Design of Meta-Prompt).

Puts the four parts' answers into the template `texts/meta_prompt.jinja`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gpo.model.model import Message
from gpo.optimizer.coordinates.view import describe_part
from gpo.optimizer.parts.refinement import Refinement
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.scale import RANGES, Scale
from gpo.optimizer.scale import scale_information as scaled
from gpo.optimizer.state import Information, Step
from gpo.task.reply_form import choose_reply_form


@dataclass(frozen=True, slots=True)
class MetaPromptSettings:
    """`task_examples` rows are shown a step; scores are shown as `percent` (0 to 100, one decimal) or as `share`
    (0 to 1, as the authors' code does). `frozen` are parts of the prompt that every candidate keeps word for word."""

    task_examples: int = 3
    scale: Scale = "percent"
    frozen: tuple[str, ...] = ()


def write_meta_prompt(
    step: Step, shown: Shown, limit: int | None, refinement: Refinement, settings: MetaPromptSettings
) -> tuple[Message, ...]:
    """The chat that is sent for the candidates of `step`. `limit` is the edit distance in words, None for none."""
    bench = step.workbench
    current = step.current.information
    part = describe_part(bench.task, step.whole or step.current.prompt, step.part)
    examples = bench.task_examples(step.number, settings.task_examples)
    text = bench.templates.render(
        "meta_prompt",
        answers=bench.task.answer_form,
        choices=bench.task.answer_choices,
        part=part,
        reply=choose_reply_form(bench.task, bench.scorer.settings.max_tokens),
        variant=_only_the_prompt(current, shown),
        earlier=[scaled(point.information, settings.scale) for point in shown.earlier],
        current=scaled(current, settings.scale),
        current_first=shown.current_first,
        summary=shown.summary,
        scale=RANGES[settings.scale],
        examples=[bench.task.with_slot(example, part=step.part) for example in examples],
        limit=limit,
        frozen=[text for text in settings.frozen if step.part is None or text in current.prompt],
        refinement=refinement.template,
    )
    return (Message("user", text),)


def _only_the_prompt(current: Information, shown: Shown) -> bool:
    """Whether nothing is known by which the prompt could be improved: no score, no problem, no past."""
    known = (current.score, current.reflection, current.notes, shown.summary)
    return not shown.earlier and all(value is None for value in known)
