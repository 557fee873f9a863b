"""BIG-Bench Hard: 27 tasks that language models found hard (Suzgun et al. 2023).

Home: the Hugging Face data set `SaylorTwift/bbh`, one configuration a task, pinned: a mirror in Parquet files, where
`lukaemon/bbh` was published as a loading script, and scripts are not run here.
Licence: MIT.
Splits: of the 250 rows of a task 5 go to format, 5 to demos, and of the rest a fifth each to train and dev and
three fifths to test: the sizes of the paper. From the hub they are drawn here, so they are not the paper's rows.

Worked example (ours, in the manner of `navigate`):
    input   "If you follow these instructions, do you return to the starting point? Take 2 steps. Turn around.
             Take 2 steps.\nOptions:\n- Yes\n- No"
    target  "Yes"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpo.task.benchmarks.spec import Benchmark, Home, Record, Rows
from gpo.task.benchmarks.split_rows import split_rows

LITE: Final = ("navigate", "movie_recommendation", "object_counting", "word_sorting")
"""One task of each type: binary choice, multiple choice, number, free response (paper, Empirical Experiments)."""

_REPO: Final = "SaylorTwift/bbh"
_REVISION: Final = "b5306be6f827cfafbb545ff5a51f96916029b0fd"
_SIZES: Final = {"train": 48, "dev": 48, "test": 144, "format": 5, "demos": 5}
_SMALLER: Final = {
    "causal_judgement": {"train": 35, "dev": 35, "test": 107, "format": 5, "demos": 5},
    "penguins_in_a_table": {"train": 27, "dev": 27, "test": 82, "format": 5, "demos": 5},
    "snarks": {"train": 33, "dev": 33, "test": 102, "format": 5, "demos": 5},
}
_NOTES: Final = {
    "causal_judgement": "some questions stand in test and in train or dev, in the published splits as well",
    "sports_understanding": "some questions stand in test and in train or dev, in the published splits as well",
    "movie_recommendation": 'one published item expects "Monsters, Inc", which is none of its options',
}
# Tasks whose published splits share a question, in test and elsewhere.
_OVERLAPPING: Final = ("causal_judgement", "sports_understanding")

# What is asked, and how it is answered. `boolean` reads yes/no, true/false and valid/invalid in the words of the
# targets, "not valid" included; `words` compares lists in order, words or brackets.
_TASKS: Final[Mapping[str, tuple[str, str]]] = {
    "boolean_expressions": ("boolean", "Evaluate a logical expression: True or False."),
    "causal_judgement": ("boolean", "Would people call this a cause? Yes or No."),
    "date_understanding": ("choice", "Work out a date from a short story: a letter."),
    "disambiguation_qa": ("choice", "Say whom a pronoun means, or that it is open: a letter."),
    "dyck_languages": ("words", "Close the open brackets: the missing ones, separated by spaces."),
    "formal_fallacies": ("boolean", "Does the conclusion follow? valid or invalid."),
    "geometric_shapes": ("choice", "Name the shape that an SVG path draws: a letter."),
    "hyperbaton": ("choice", "Pick the right order of adjectives: a letter."),
    "logical_deduction_five_objects": ("choice", "Put five things in order from clues: a letter."),
    "logical_deduction_seven_objects": ("choice", "Put seven things in order from clues: a letter."),
    "logical_deduction_three_objects": ("choice", "Put three things in order from clues: a letter."),
    "movie_recommendation": ("choice", "Find the film that is like the four given: a letter."),
    "multistep_arithmetic_two": ("number", "Compute a nested expression: a number."),
    "navigate": ("boolean", "Does the walk end where it began? Yes or No."),
    "object_counting": ("number", "Count the things of one sort in a list: a number."),
    "penguins_in_a_table": ("choice", "Answer a question about a small table: a letter."),
    "reasoning_about_colored_objects": ("choice", "Answer a question about coloured things: a letter."),
    "ruin_names": ("choice", "Find the funny change to a name: a letter."),
    "salient_translation_error_detection": ("choice", "Name the kind of error in a translation: a letter."),
    "snarks": ("choice", "Find the sarcastic one of two sentences: a letter."),
    "sports_understanding": ("boolean", "Is the sentence about sport plausible? yes or no."),
    "temporal_sequences": ("choice", "Find the free hours in a day: a letter."),
    "tracking_shuffled_objects_five_objects": ("choice", "Follow five things through swaps: a letter."),
    "tracking_shuffled_objects_seven_objects": ("choice", "Follow seven things through swaps: a letter."),
    "tracking_shuffled_objects_three_objects": ("choice", "Follow three things through swaps: a letter."),
    "web_of_lies": ("boolean", "Does the last person tell the truth? Yes or No."),
    "word_sorting": ("words", "Sort words alphabetically: the list."),
}


def benchmarks() -> list[Benchmark]:
    """All tasks, by name."""
    return [_benchmark(task) for task in _TASKS]


def _benchmark(task: str) -> Benchmark:
    kind, description = _TASKS[task]
    name, sizes = f"bbh/{task}", _SMALLER.get(task, _SIZES)

    def divide(parts: Mapping[str, Sequence[Record]]) -> dict[str, Rows]:
        return split_rows(name, [_row(record) for record in parts["test"]], sizes)

    return Benchmark(
        name=name,
        description=description,
        answer={"kind": kind},
        metric="exact_match",
        sizes=sizes,
        home=Home(repo=_REPO, config=task, revision=_REVISION, parts=("test",)),
        licence="MIT",
        divide=divide,
        allow_overlap=task in _OVERLAPPING,
        note=_NOTES.get(task, ""),
    )


def _row(record: Record) -> dict[str, Any]:
    return {"input": str(record["input"]), "target": str(record["target"])}
