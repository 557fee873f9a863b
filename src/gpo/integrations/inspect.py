"""A task of GPO's from a task of Inspect's: its dataset as rows, its scorer as the metric.

Its solver says how a model is asked there, and is not taken: here a prompt is what is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpo.errors import ConfigError, DataError
from gpo.extras import is_installed
from gpo.task.example import Example
from gpo.task.proposal.sizes import SHARES
from gpo.task.task import Task


def task_from(
    inspect_task: Any, *, scorer: Any = None, split: Mapping[str, int | float] | None = None, **options: Any
) -> Task:
    """The task of `inspect_task`, an `inspect_ai.Task`.

    A sample's input is the question, its target the expected answer. Of a multiple-choice task (the scorer `choice`)
    the options are listed below the question and the reply is read as a letter. Any other scorer is called as it is
    with the whole reply, and its explanation is feedback. `scorer` chooses among several. `split` and the other
    `options` are those of `gpo.Task.from_rows`, such as `position` and `seed`.

    Raises `ConfigError` where inspect_ai is not installed and for a task that has no scorer or several, and
    `DataError` naming a sample that is not one question.
    """
    if not is_installed("inspect_ai"):
        raise ConfigError(
            "a task of Inspect needs inspect_ai, which is not installed: pip install inspect-ai"
        )
    scorer = scorer or _only_scorer(inspect_task)
    samples = {_id(sample, number): sample for number, sample in enumerate(inspect_task.dataset, start=1)}
    if not samples:
        raise ConfigError(f"the Inspect task {inspect_task.name!a}: has no samples")
    settings: dict[str, Any] = {"split": dict(split or SHARES), "name": inspect_task.name, **options}
    if _name(scorer) == "choice":
        rows = [_choice_row(key, sample) for key, sample in samples.items()]
        return Task.from_rows(
            rows, **{"input": "{question}\n{choices}", "target": "target", "answer": "choice", **settings}
        )
    rows = [
        {"id": key, "question": _question(key, one), "target": _target(key, one)}
        for key, one in samples.items()
    ]
    settings = {"input": "question", "answer": whole_reply, "metric": _metric(scorer, samples), **settings}
    return Task.from_rows(rows, **settings)


def whole_reply(reply: str) -> str:
    """The reply as it is: a scorer of Inspect reads it itself."""
    return reply


def _metric(scorer: Any, samples: Mapping[str, Any]) -> Any:
    """The scorer as a function of a reply and an example."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput
    from inspect_ai.scorer import Target, value_to_float
    from inspect_ai.solver import TaskState

    to_float = value_to_float()

    async def score(prediction: str, example: Example) -> tuple[float, str]:
        sample = samples[example.id]
        state = TaskState(
            model="gpo/task",
            sample_id=example.id,
            epoch=1,
            input=sample.input,
            messages=[ChatMessageUser(content=example.input), ChatMessageAssistant(content=prediction)],
            target=Target(sample.target),
            choices=sample.choices,
            output=ModelOutput.from_content("gpo/task", prediction),
            metadata=sample.metadata,
        )
        found = await scorer(state, Target(sample.target))
        if found is None or isinstance(found.value, list | dict):
            raise ConfigError(f"task.metric: the scorer {_name(scorer)} gives no single value")
        return to_float(found.value), found.explanation or ""

    score.__qualname__ = f"inspect_ai:{_name(scorer)}"
    return score


def _only_scorer(inspect_task: Any) -> Any:
    found = inspect_task.scorer or []
    several = list(found) if isinstance(found, list | tuple) else [found]
    if len(several) != 1:
        has = "no scorer" if not several else f"{len(several)} scorers"
        raise ConfigError(f"the Inspect task {inspect_task.name!a}: has {has}; say which one with scorer=…")
    return several[0]


def _name(scorer: Any) -> str:
    from inspect_ai.util import registry_info

    try:
        return str(registry_info(scorer).name).rsplit("/", 1)[-1]
    except ValueError:
        return str(getattr(scorer, "__name__", type(scorer).__name__))


def _id(sample: Any, number: int) -> str:
    return str(number if sample.id is None else sample.id)


def _question(key: str, sample: Any) -> str:
    """The text of the one user turn that a sample is."""
    if isinstance(sample.input, str):
        return str(sample.input)
    if len(sample.input) == 1 and sample.input[0].role == "user" and isinstance(sample.input[0].content, str):
        return str(sample.input[0].content)
    raise DataError(
        f"Inspect sample {key}: its input is a chat of {len(sample.input)} messages and not one question"
    )


def _target(key: str, sample: Any) -> str | list[str]:
    if not sample.target:
        raise DataError(f"Inspect sample {key}: has no target")
    return list(sample.target) if isinstance(sample.target, list) else str(sample.target)


def _choice_row(key: str, sample: Any) -> dict[str, Any]:
    target = _target(key, sample)
    letter = target if isinstance(target, str) else target[0]
    if not isinstance(target, str) and len(target) > 1:
        raise DataError(f"Inspect sample {key}: has several right choices, and GPO reads one letter")
    if not sample.choices:
        raise DataError(f"Inspect sample {key}: has no choices, which the scorer choice needs")
    return {"id": key, "question": _question(key, sample), "choices": list(sample.choices), "target": letter}
