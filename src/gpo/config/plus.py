"""The section of `method: gpo+`: its budget, and a switch for each of its components.

Every component can be turned off alone, for ablations. See `gpo.optimizer.plus` and `docs/beyond.md`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gpo.config.section import Section

BudgetName = Literal["light", "medium", "heavy"]
BUDGETS: dict[BudgetName, int] = {"light": 300, "medium": 1_000, "heavy": 3_000}
"""Calls of the task model in one search, the test split left out."""


class PlusConfig(Section):
    """gpo+: the search that plans its own steps from a budget of task calls."""

    name: Literal["gpo+"] = "gpo+"
    """The method."""
    budget: BudgetName | Annotated[int, Field(gt=0, strict=True)] | None = None
    """Task calls of the search, the test split left out: a number, or `light` (300), `medium` (1,000), `heavy`
    (3,000). null: what `budget.max_calls` leaves beside the test split and the optimizer, and `medium` without one."""
    library: bool = True
    """Screen a library of start prompts first."""
    demonstrations: bool = True
    """Worked examples from train are a part of the prompt, and are searched over too."""
    posterior: bool = True
    """Compare prompts by a model of rows and prompts with shrinkage; off: by plain means of what each was asked."""
    duel: bool = True
    """Keep a fifth of the budget for a last comparison of the best prompts on rows that none of them has met."""
    discriminative: bool = True
    """Ask the rows first that tell good prompts apart; off: in random order."""
    edits: bool = True
    """A candidate a step by a deterministic edit, and in place of replies that are no prompts."""
    reflection: bool = True
    """A candidate a step that is written after looking at failures, as long as such candidates win."""
    trust_region: bool = False
    """Let the edit limit grow after steps that got better and shrink after others, in place of the cosine."""
    signal: bool = False
    """Draft more candidates than are asked, and keep those whose words went with higher scores so far."""

    @property
    def task_calls(self) -> int | None:
        """Calls that `budget` names, None where it names none."""
        return BUDGETS[self.budget] if isinstance(self.budget, str) else self.budget
