"""The sealed test of a run that a budget stopped before it could open it: initial and best prompt, in a run of its own.

Its answers come from the stopped run's journal where they are known. Knows no suite.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from gpo.config.schema import BudgetConfig, Config
from gpo.errors import RunError
from gpo.optimizer.candidates import Guard
from gpo.optimizer.choose import Published
from gpo.optimizer.published.base import Original
from gpo.optimizer.search import Listener, Search, StepRecord
from gpo.optimizer.workbench import Workbench
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import prompt_id
from gpo.run.optimize import Run
from gpo.run.plan import assemble


def tested_directory(directory: Path, result: Result) -> Path:
    """The test's run directory within that of the run that ended with `result`: one a prompt, as a raised cap may lead
    on to another one."""
    return directory / f"test-{prompt_id(result.best_prompt)}"


def tested_after_budget(config: Config, directory: Path, *, base_dir: Path, data_dir: Path | None) -> Run:
    """A run that scores the prompts that the run in `directory` ended with, without a cap. Raises `RunError`."""
    result = RunDirectory(directory).read_result()
    if result is None:
        raise RunError(f"{directory}: the budget stopped the run before it had a result")
    plan = assemble(
        config.model_copy(update={"budget": BudgetConfig()}),
        base_dir=base_dir,
        data_dir=data_dir,
    )
    tested = replace(
        plan,
        method=Published(plan.method.name, partial(_build, result.best_prompt)),
        recorded={**plan.recorded, "tested_prompt": result.best_prompt},
    )
    return Run(tested, RunDirectory(tested_directory(directory, result)), fork=directory)


def _build(best: str, bench: Workbench, guard: Guard, listener: Listener | None) -> Chosen:
    return Chosen(best, bench, guard, listener)


class Chosen(Original):
    """No search: the initial prompt and `chosen` are scored, and `chosen` is the answer."""

    def __init__(self, chosen: str, bench: Workbench, guard: Guard, listener: Listener | None) -> None:
        super().__init__(bench, guard, listener, total=0, pairs_a_step=0)
        self._chosen = chosen

    @property
    def best(self) -> str:
        """What was chosen before."""
        return self._chosen

    async def run(self, initial: str) -> Search:
        """Score both on dev."""
        await self.score(list(dict.fromkeys([initial, self._chosen])))
        return Search(initial, self._chosen, (), "chosen before")

    async def step(self, number: int, initial: str) -> StepRecord:
        """There is none."""
        raise AssertionError("a prompt that was chosen before takes no step")
