"""A step as the meta-prompt of one part sees it: the texts of that part, and what the others are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gpo.optimizer.state import Information, Step, Visited
from gpo.task.program.parts import part_of, split_parts
from gpo.task.task import Task
from gpo.text import shorten

LONGEST = 400
"""Characters of another part that are shown."""


def project(step: Step) -> Step:
    """`step` with the text of its part in the place of every prompt; of equal texts the last stays. What was said about
    another part is left out. A step without a part stays as it is."""
    if step.part is None:
        return step
    names = step.workbench.task.parts
    points: dict[str, Visited] = {}
    for point in step.visited:
        text = part_of(point.prompt, names, step.part)
        told = point.information
        if told.part == step.part or point is step.current:
            told = replace(told, prompt=text)
        else:
            told = Information(text, told.score, part=step.part)
        points.pop(text, None)
        points[text] = replace(point, prompt=text, information=told)
    return replace(step, visited=tuple(points.values()), whole=step.current.prompt)


def describe_part(task: Task, prompt: str, part: str | None) -> Mapping[str, Any] | None:
    """What a template is told of the part that changes: its `name`, whether a `program` uses it, and the `others` with
    their `text`, shortened. None for the one prompt of a task without a program."""
    if part is None:
        if task.program is None:
            return None
        return {"name": task.parts[0], "program": True, "others": []}
    others = [
        {"name": name, "text": shorten(text, LONGEST)}
        for name, text in split_parts(prompt, task.parts).items()
        if name != part
    ]
    return {"name": part, "program": task.program is not None, "others": others}
