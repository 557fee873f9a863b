"""What a trial came to: its scores, what they cost, and the test rows one by one. Reads run directories only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpo.config.load import parse_config, parse_yaml
from gpo.config.schema import BudgetConfig
from gpo.errors import GPOError, RunError
from gpo.model.prices import cost, recorded_price
from gpo.model.tally import Tally
from gpo.run.directory import RunDirectory
from gpo.run.journal_writer import SPLIT_LEVEL, prompt_id, split_questions
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import LedgerLine
from gpo.storage.regular_file import read_regular
from gpo.storage.typed import is_number
from gpo.suites.execution.final_test import find_test_directory
from gpo.suites.execution.job import Trial

ROLES = ("task", "optimizer")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """Scores in 0..1, None where the split was not evaluated. `rows` are the best prompt's values on the test rows that
    could be scored, by example; `examples` names the question behind each, so that the same row is known again under
    another seed. `steps` has the best dev score before the first step and after each one. `tokens` and `calls` are
    those of both models while it searched, stored answers included and the held-out test left out."""

    run_dir: str
    initial_test: float | None
    test: float | None
    initial_dev: float | None
    dev: float | None
    steps: tuple[float, ...]
    calls: int
    tokens: int
    usd: float | None = None
    """Dollars of both models for these calls, None where a price is unknown."""
    optimizer_usd: float | None = None
    """The optimizer model's part of them."""
    seconds: float
    stopped_by_budget: bool
    best_prompt: str
    rows: Mapping[str, float] = field(default_factory=dict, hash=False)
    examples: Mapping[str, str] = field(default_factory=dict, hash=False)


def is_finished(trial: Trial, out: Path) -> bool:
    """Whether nothing is left to do for `trial`. One that a budget stopped is finished under that budget only, and none
    is without the journal that its scores are in."""
    directory = out / trial.run_dir
    try:
        result = RunDirectory(directory).read_result()
        if result is None or result.status == "interrupted" or not _has_answers(directory):
            return False
        if result.status == "complete":
            return True
        slot = find_test_directory(directory, result)
        tested = RunDirectory(slot).read_result()
        return (
            tested is not None
            and tested.status == "complete"
            and _has_answers(slot)
            and _has_budget(parse_config(trial.config).budget, directory)
        )
    except (GPOError, OSError):
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
        slot = find_test_directory(directory, result)
        found = RunDirectory(slot).read_result()
        if found is None or found.status != "complete":
            return None
        tested = found
    with JournalReader(slot / "journal.sqlite") as reader:
        scores = list(reader.scores(split="test"))
        # What could not be scored for one prompt is in the mean of none.
        excluded = {score.example_id for score in scores if score.value is None}
        best = prompt_id(result.best_prompt)
        # Rows of a metric of the whole split do not add up to it: no interval is made of them.
        by_rows = not reader.get_meta(SPLIT_LEVEL)
        rows = {
            score.example_id: score.value
            for score in scores
            if by_rows
            and score.prompt_id == best
            and score.value is not None
            and score.example_id not in excluded
        }
        questions = split_questions(reader, "test")
    used = _count_search_usage(directory)
    first = [] if result.scores.initial.dev is None else [result.scores.initial.dev]
    return TrialOutcome(
        run_dir=run_dir,
        initial_test=tested.scores.initial.test,
        test=tested.scores.best.test,
        initial_dev=result.scores.initial.dev,
        dev=result.scores.best.dev,
        steps=(*first, *(_best_dev(directory, step) for step in result.steps)),
        calls=sum(used[role].calls for role in used),
        tokens=sum(used[role].prompt_tokens + used[role].completion_tokens for role in used),
        usd=_dollars(directory, used, tuple(used)),
        optimizer_usd=_dollars(directory, used, ("optimizer",)),
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


def has_other_budget(run_dir: str, out: Path, budget: BudgetConfig) -> bool:
    """Whether the run in `out / run_dir` was made under another hard budget than `budget`: one that came to its end is
    not run again under a lower cap."""
    try:
        return not _has_budget(budget, out / run_dir)
    except (GPOError, OSError):
        return False


def _has_budget(budget: BudgetConfig, directory: Path) -> bool:
    """Whether `budget` is what the run was last given."""
    return bool(_config(directory).get("budget") == budget.model_dump(mode="json"))


def _config(directory: Path) -> Mapping[str, Any]:
    """What the run's `config.yaml` says, nothing where there is none."""
    path = directory / "config.yaml"
    if not os.path.lexists(path):
        return {}
    try:
        return parse_yaml(read_regular(path).decode("utf-8"), str(path))[0]
    except UnicodeDecodeError:
        raise RunError(f"{path}: is damaged (no UTF-8); restore it from a copy") from None


def _count_search_usage(directory: Path) -> dict[str, Tally]:
    """What each role used by calls that are not those of the held-out test, answered by the store or not."""
    with JournalReader(directory / "journal.sqlite") as reader:
        tested = {key for score in reader.scores(split="test") for key in score.calls}
        used = {role: Tally() for role in ROLES}
        for line in reader.ledger():
            if line.key not in tested:
                used[line.role] = _add_line(used.get(line.role, Tally()), line)
        return used


def _add_line(tally: Tally, line: LedgerLine) -> Tally:
    # A stored answer counts as a sent one: a suite's runs share the store, and the order of runs must not decide.
    return Tally(
        calls=tally.calls + 1,
        prompt_tokens=tally.prompt_tokens + line.prompt_tokens,
        completion_tokens=tally.completion_tokens + line.completion_tokens,
        cached_tokens=tally.cached_tokens + line.cached_tokens,
    )


def _dollars(directory: Path, used: Mapping[str, Tally], roles: Sequence[str]) -> float | None:
    """What `roles` cost, None where the price of one is unknown."""
    models = _config(directory).get("models")
    sections = models if isinstance(models, dict) else {}
    parts = [cost(used[role], recorded_price(sections.get(role))) for role in roles]
    return None if None in parts else sum(part for part in parts if part is not None)
