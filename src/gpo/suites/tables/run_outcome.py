"""What a cell came to: its scores, what they cost, and the test rows one by one. Reads run directories only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpo.config.load import parse_config, parse_yaml
from gpo.config.schema import BudgetConfig
from gpo.errors import GPOError, RunError
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import prompt_id, split_questions
from gpo.storage.journal_reader import JournalReader
from gpo.storage.regular_file import read_regular
from gpo.storage.typed import is_number
from gpo.suites.execution.final_test import tested_directory
from gpo.suites.execution.job import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """Scores in 0..1, None where the split was not opened. `rows` are the best prompt's values on the test rows that
    could be scored, by example; `examples` names the question behind each, so that the same row is known again under
    another seed. `steps` has the best dev score before the first step and after each one. `tokens` and `calls` are
    those of both models while it searched, stored answers included and the sealed test left out."""

    run_dir: str
    initial_test: float | None
    test: float | None
    initial_dev: float | None
    dev: float | None
    steps: tuple[float, ...]
    calls: int
    tokens: int
    seconds: float
    stopped_by_budget: bool
    best_prompt: str
    rows: Mapping[str, float] = field(default_factory=dict, hash=False)
    examples: Mapping[str, str] = field(default_factory=dict, hash=False)


def finished(trial: Trial, out: Path) -> bool:
    """Whether nothing is left to do for `trial`. One that a budget stopped is finished under that budget only, and none
    is without the journal that its scores are in."""
    directory = out / trial.run_dir
    try:
        result = RunDirectory(directory).read_result()
        if result is None or result.status == "interrupted" or not _has_answers(directory):
            return False
        if result.status == "complete":
            return True
        slot = tested_directory(directory, result)
        tested = RunDirectory(slot).read_result()
        return (
            tested is not None
            and tested.status == "complete"
            and _has_answers(slot)
            and _made_under(parse_config(trial.config).budget, directory)
        )
    except (GPOError, OSError, UnicodeDecodeError):
        return False  # the run itself says what is wrong with its directory


def _has_answers(directory: Path) -> bool:
    """Whether there is a journal with an answer in it. Raises `RunError` where it is no journal."""
    journal = RunDirectory(directory).journal_path
    if not os.path.lexists(journal):
        return False
    with JournalReader(journal) as reader:
        return not reader.empty and reader.has_calls


def read_outcome(run_dir: str, out: Path) -> TrialOutcome | None:
    """What the run in `out / run_dir` came to, None where it is not finished. Raises `RunError`."""
    directory = out / run_dir
    result = RunDirectory(directory).read_result()
    if result is None or result.status == "interrupted":
        return None
    tested, slot = result, directory
    if result.status == "budget":
        slot = tested_directory(directory, result)
        found = RunDirectory(slot).read_result()
        if found is None or found.status != "complete":
            return None
        tested = found
    with JournalReader(slot / "journal.sqlite") as reader:
        scores = list(reader.scores(split="test"))
        # What could not be scored for one prompt is in the mean of none.
        excluded = {score.example_id for score in scores if score.value is None}
        best = prompt_id(result.best_prompt)
        rows = {
            score.example_id: score.value
            for score in scores
            if score.prompt_id == best and score.value is not None and score.example_id not in excluded
        }
        questions = split_questions(reader, "test")
    calls, tokens = _searched(directory)
    first = [] if result.scores.initial.dev is None else [result.scores.initial.dev]
    return TrialOutcome(
        run_dir=run_dir,
        initial_test=tested.scores.initial.test,
        test=tested.scores.best.test,
        initial_dev=result.scores.initial.dev,
        dev=result.scores.best.dev,
        steps=(*first, *(_best_dev(directory, step) for step in result.steps)),
        calls=calls,
        tokens=tokens,
        seconds=result.seconds,
        stopped_by_budget=result.status == "budget",
        best_prompt=result.best_prompt,
        rows=rows,
        examples={name: question[0] for name, question in questions.items()},
    )


def _best_dev(directory: Path, step: Mapping[str, Any]) -> float:
    value = step.get("best_dev")
    if value is None or not is_number(value):
        raise RunError(
            f"{directory / 'result.json'}: is damaged (a step's best_dev is no number); remove it and run the same "
            "command again"
        )
    return float(value)


def under_another_budget(run_dir: str, out: Path, budget: BudgetConfig) -> bool:
    """Whether the run in `out / run_dir` was made under another hard budget than `budget`: one that came to its end is
    not run again under a lower cap."""
    try:
        return not _made_under(budget, out / run_dir)
    except (GPOError, OSError, UnicodeDecodeError):
        return False


def _made_under(budget: BudgetConfig, directory: Path) -> bool:
    """Whether `budget` is what the run was last given."""
    path = directory / "config.yaml"
    if not os.path.lexists(path):
        return False
    config, _ = parse_yaml(read_regular(path).decode("utf-8"), str(path))
    return bool(config.get("budget") == budget.model_dump(mode="json"))


def _searched(directory: Path) -> tuple[int, int]:
    """Calls and tokens that are not those of the sealed test."""
    with JournalReader(directory / "journal.sqlite") as reader:
        sealed = {key for score in reader.scores(split="test") for key in score.calls}
        used = [
            line.prompt_tokens + line.completion_tokens for line in reader.ledger() if line.key not in sealed
        ]
    return len(used), sum(used)
