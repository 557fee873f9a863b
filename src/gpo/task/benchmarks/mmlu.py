"""MMLU: exam questions with four options in 57 subjects (Hendrycks et al. 2021).

Home: the Hugging Face data set `cais/mmlu`, one configuration a subject, pinned.
Licence: MIT.
Splits: 20 train, 20 dev and 60 test rows a subject out of its test part (59 in the subjects that have no more),
5 format rows out of its dev part, 4 demos out of its validation part: the sizes of the released splits ("we sample
a subset from each dataset", the paper says). From the hub they are drawn here, so they are not the paper's rows.
The four groups are those of Table 5: 19, 13, 12 and 13 subjects, as the benchmark's authors sort them. The table's
averages are the means over 57 subjects only with these sizes.

Worked example (ours):
    input   "Which organ pumps the blood through the body?\n(A) The liver\n(B) The heart\n(C) The lung\n(D) The skin"
    target  "(B)"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpo.task.benchmarks.spec import Benchmark, Home, Record, Rows
from gpo.task.benchmarks.split_rows import split_rows

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "stem": (
        "abstract_algebra", "anatomy", "astronomy", "college_biology", "college_chemistry",
        "college_computer_science", "college_mathematics", "college_physics", "computer_security", "conceptual_physics",
        "electrical_engineering", "elementary_mathematics", "high_school_biology", "high_school_chemistry",
        "high_school_computer_science", "high_school_mathematics", "high_school_physics",
        "high_school_statistics", "machine_learning",
    ),
    "humanities": (
        "formal_logic", "high_school_european_history", "high_school_us_history", "high_school_world_history",
        "international_law", "jurisprudence", "logical_fallacies", "moral_disputes", "moral_scenarios",
        "philosophy", "prehistory", "professional_law", "world_religions",
    ),
    "social_sciences": (
        "econometrics", "high_school_geography", "high_school_government_and_politics",
        "high_school_macroeconomics", "high_school_microeconomics", "high_school_psychology",
        "human_sexuality", "professional_psychology", "public_relations", "security_studies", "sociology",
        "us_foreign_policy",
    ),
    "other": (
        "business_ethics", "clinical_knowledge", "college_medicine", "global_facts", "human_aging",
        "management", "marketing", "medical_genetics", "miscellaneous", "nutrition",
        "professional_accounting", "professional_medicine", "virology",
    ),
}  # fmt: skip

_REPO: Final = "cais/mmlu"
_REVISION: Final = "c30699e8356da336a370243923dbaf21066bb9fe"
_ROWS_OF_TEST: Final = ("train", "dev", "test")
_ONE_LESS: Final = (
    "abstract_algebra", "business_ethics", "college_chemistry", "college_computer_science",
    "college_mathematics", "computer_security", "global_facts", "high_school_computer_science",
    "medical_genetics", "us_foreign_policy",
)  # fmt: skip
_OVERLAPPING: Final = "college_physics"
_OPENING: Final = "The following are multiple choice questions about"


def benchmarks() -> list[Benchmark]:
    """All subjects, by name."""
    found = [_benchmark(subject, group) for group, subjects in GROUPS.items() for subject in subjects]
    return sorted(found, key=lambda benchmark: benchmark.name)


def _benchmark(subject: str, group: str) -> Benchmark:
    name = f"mmlu/{subject}"
    sizes = {"train": 20, "dev": 20, "test": 59 if subject in _ONE_LESS else 60, "format": 5, "demos": 4}

    def divide(parts: Mapping[str, Sequence[Record]]) -> dict[str, Rows]:
        tested = [_row(record) for record in parts["test"]]
        splits = split_rows(name, tested, {split: sizes[split] for split in _ROWS_OF_TEST})
        known = {row["input"] for rows in splits.values() for row in rows}
        for split, part in (("format", "dev"), ("demos", "validation")):
            rows = [row for row in map(_row, parts[part]) if row["input"] not in known]
            splits[split] = rows[: sizes[split]]
        return splits

    return Benchmark(
        name=name,
        description=f"{subject.replace('_', ' ').capitalize()} ({group.replace('_', ' ')}): a letter.",
        answer={"kind": "choice"},
        metric="accuracy",
        sizes=sizes,
        home=Home(repo=_REPO, config=subject, revision=_REVISION, parts=("test", "dev", "validation")),
        licence="MIT",
        divide=divide,
        allow_overlap=subject == _OVERLAPPING,
        note="some questions stand in several of the published splits" if subject == _OVERLAPPING else "",
    )


def _row(record: Record) -> dict[str, Any]:
    options = [f"({letter}) {text}" for letter, text in zip("ABCD", record["choices"], strict=True)]
    return {
        "input": "\n".join([str(record["question"]).strip(), *options]),
        "target": f"({'ABCD'[int(record['answer'])]})",
    }


def name_subject(prompt: str, data: object) -> str:
    """`prompt`; where it is MMLU's own opening and `data` a subject of MMLU, with the name of that subject in it.

    As the authors' code does, so that one start prompt serves all subjects.
    """
    subject = data.removeprefix("mmlu/") if isinstance(data, str) and data.startswith("mmlu/") else ""
    return f"{_OPENING} {subject.replace('_', ' ')}." if subject and prompt.startswith(_OPENING) else prompt
