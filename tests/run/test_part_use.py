"""Whether a prompt makes a difference, counted over rows of this process and of an earlier one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gpo.evaluation.outcome import Outcome
from gpo.run.journal_writer import prompt_id
from gpo.run.programs.part_use import PartUse
from gpo.storage.journal import Journal
from gpo.storage.records import RecordedScore
from tests.programs.support import make_task


def step(parent: str, prompt: str) -> Any:
    item = SimpleNamespace(rejected=None, parent=parent, prompt=prompt)
    return SimpleNamespace(part="rewrite", candidates=(item,))


async def test_rows_of_an_earlier_process_count_beside_one_that_this_one_scored(tmp_path: Path) -> None:
    task = replace(make_task(), parts=("rewrite", "answer"))
    dev = task.splits.dev[:4]
    journal = Journal(tmp_path / "journal.sqlite")
    try:
        for prompt in ("before", "after"):
            for number, example in enumerate(dev[:3]):
                score = RecordedScore(
                    prompt_id(prompt), "dev", example.id, 1.0, "left", False, (f"{number}",)
                )
                journal.put_score(score)
        await journal.flush()
        use = PartUse(task, journal)
        for prompt in ("before", "after"):
            use.see(prompt, "dev", Outcome(dev[3], 1.0, "left", calls=("call 3",)))
        assert [line.partition(";")[0] for line in use.step(step("before", "after"))] == [
            "changing `rewrite` changed no output in 4 of 4 rows"
        ]
    finally:
        journal.close()
