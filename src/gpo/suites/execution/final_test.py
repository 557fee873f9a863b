"""Evaluates the held-out test set for a run that a budget stopped before: initial and best prompt, in a run of its own.

Its answers come from the stopped run's journal where they are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gpo.config.schema import BudgetConfig, Config
from gpo.errors import RunError
from gpo.optimizer.calls import Calls, RowUse, Sizes
from gpo.optimizer.candidates import Guard
from gpo.optimizer.published.evaluate_only import FixedAnswer
from gpo.optimizer.search import Listener
from gpo.optimizer.workbench import Workbench
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import prompt_id
from gpo.run.optimize import Run
from gpo.run.plan import assemble


def find_test_directory(directory: Path, result: Result) -> Path:
    """The test's run directory within that of the run that ended with `result`: one a prompt, as a raised cap may lead
    on to another one."""
    return directory / f"test-{prompt_id(result.best_prompt)}"


def build_test_run(config: Config, directory: Path, *, base_dir: Path, data_dir: Path | None) -> Run:
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
        method=FinalTest(plan.method.name, result.best_prompt),
        recorded={**plan.recorded, "tested_prompt": result.best_prompt},
    )
    return Run(tested, RunDirectory(find_test_directory(directory, result)), fork=directory)


@dataclass(frozen=True, slots=True)
class FinalTest:
    """No search: the initial prompt and `best`, which was found before, are scored, and `best` is the answer."""

    name: str
    best: str

    @property
    def needs_readable_start(self) -> bool:
        """There is no step to stop before."""
        return False

    def open(self, bench: Workbench, guard: Guard, listener: Listener | None) -> FixedAnswer:
        """A new evaluation of both."""
        return FixedAnswer(bench, self.best)

    def calls(self, sizes: Sizes) -> Calls:
        """Both prompts on every dev row, once."""
        return Calls(dev=RowUse((2,) * sizes.dev))
