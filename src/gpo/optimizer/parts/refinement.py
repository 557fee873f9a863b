"""Refinement, the analogue of descent: how the optimizer model is told to make the new prompt.

Paper: Update Method, Analogical Gradient Descent; the columns of Table 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Refinement(Protocol):
    """An option of this part. `template` names the file in `texts/` that holds the instruction and the reply form."""

    @property
    def template(self) -> str:
        """Name of the instruction's template, without its ending."""


@dataclass(frozen=True, slots=True)
class Editing:
    """The current prompt is edited: what is there is exploited."""

    template: str = "editing"


@dataclass(frozen=True, slots=True)
class Generation:
    """The shown prompts are demonstrations, and a new prompt is written after them: more is explored."""

    template: str = "generation"


def refinement(name: str) -> Refinement:
    """The option called `name` in a configuration."""
    options: dict[str, Refinement] = {"editing": Editing(), "generation": Generation()}
    return options[name]
