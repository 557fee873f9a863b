"""What the loop concluded, written into the journal for people: prompts, scores, steps.

A replay writes the same rows again. Nothing here is read back by the loop.
"""

from __future__ import annotations

import hashlib
from typing import Any

from gpo.evaluation.outcome import Outcome
from gpo.optimizer.search import ScoredCandidate, StepRecord
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.records import RecordedScore
from gpo.storage.typed import Record
from gpo.task.task import Task

EXAMPLES = "examples/"
"""The journal's key of a split's examples, followed by the split: {example id: [question, expected answer]}."""
PROGRAM = "program"
"""The journal's key of the name of a program, where one answers the rows: then the calls of a score are no rounds."""
SPLIT_LEVEL = "split_level"
"""The journal's key of the name of a metric of the whole split, where the run has one: then a mean over the recorded
values of rows is not the score."""


def prompt_id(prompt: str) -> str:
    """The name of a prompt in the journal: 16 hex digits."""
    return hashlib.blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def split_questions(reader: JournalReader, split: str) -> dict[str, tuple[str, str]]:
    """Question and expected answer of the examples of `split` that were scored, by example. Raises `RunError` where the
    journal has something else."""
    known = Record(reader.path, f"meta {EXAMPLES}{split}", reader.get_meta(f"{EXAMPLES}{split}") or {})
    found = {}
    for key in known.data:
        pair = known.items(key)
        if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            known.refuse(known.inner(ascii(key[:80])), "must be a question and an answer")
        found[key] = (pair[0], pair[1])
    return found


class JournalWriter:
    """Writes into `journal`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._named: dict[str, str] = {}
        self._step: int | None = None

    def step_started(self, step: int) -> None:
        """What is named from now on was brought up by `step`."""
        self._step = step

    def prompt(self, prompt: str) -> str:
        """Name a prompt once, with the step that is under way. Returns its name."""
        name = self._named.get(prompt)
        if name is None:
            name = self._named[prompt] = prompt_id(prompt)
            self._journal.put_prompt(name, prompt, self._step)
        return name

    def examples(self, split: str, task: Task) -> None:
        """Keep question and expected answer of a split that is scored, for whoever looks at single examples."""
        rows = {example.id: [example.input, task.target_text(example)] for example in task.examples(split)}
        self._journal.put_meta(f"{EXAMPLES}{split}", rows)

    def outcome(self, prompt: str, split: str, outcome: Outcome) -> None:
        """Record what one prompt got on one example."""
        self._journal.put_score(
            RecordedScore(
                prompt_id=self.prompt(prompt),
                split=split,
                example_id=outcome.example.id,
                value=outcome.value,
                prediction=outcome.prediction,
                unreadable=outcome.failure is None and outcome.prediction is None,
                calls=outcome.calls,
                cut=outcome.cut is not None,
            ),
            outcome.feedback,
        )

    def step(self, record: StepRecord) -> None:
        """Record a whole step."""
        self._journal.put_step(record.step, step_data(record))


def step_data(record: StepRecord) -> dict[str, Any]:
    """A step as JSON values: everything that a report shows."""
    return {
        **step_summary(record),
        "total": record.total,
        "parent": record.parent,
        "parent_score": record.parent_score,
        "reflection": record.information.reflection,
        "trajectory": [
            {"prompt": point.prompt, "score": point.score, "step": point.step}
            for point in record.shown.earlier
        ],
        "summary": record.shown.summary,
        "meta_prompt": [{"role": m.role, "content": m.content} for m in record.meta_prompt],
        "candidates": [_candidate_data(item) for item in record.candidates],
        **_estimates_data(record),
    }


def step_summary(record: StepRecord) -> dict[str, Any]:
    """A step as `result.json` tells it. Scores are dev means in 0..1, distances in words."""
    chosen = next((item for item in record.candidates if item.prompt == record.chosen), None)
    return {
        "step": record.step,
        "edit_limit": record.limit,
        "edit_distance": chosen.distance if chosen else 0,
        "prompt": record.chosen,
        "dev": record.chosen_score,
        "best_dev": record.best_score,
        "candidates_scored": record.scored,
        "candidates_rejected": sum(item.rejected is not None for item in record.candidates),
        **({"part": record.part} if record.part is not None else {}),
    }


def _estimates_data(record: StepRecord) -> dict[str, Any]:
    """Means over a part of dev, one a candidate, of racing and of methods that score most on a part only."""
    if not record.estimated:
        return {}
    rows = [item.estimate_rows for item in record.candidates]
    return {
        "estimates": [item.estimate for item in record.candidates],
        **({"estimate_rows": rows} if any(count is not None for count in rows) else {}),
    }


def _candidate_data(item: ScoredCandidate) -> dict[str, Any]:
    return {
        "raw": item.raw,
        "prompt": item.prompt,
        # Methods with a beam make candidates from several prompts at one step.
        "parent": item.parent,
        "edit_distance": item.distance,
        "attempt": item.attempt,
        "rejected": item.rejected,
        "score": item.score,
        **({"move": item.move} if item.move else {}),
    }
