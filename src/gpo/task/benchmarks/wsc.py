"""Winograd Schema Challenge: whom does a pronoun mean? (Levesque et al. 2012).

Home: the Hugging Face data set `lighteval/winograd_wsc`, configuration `wsc273`. Not pinned: no commit of it was at
hand when this was written, so `main` is read, and what was read once is kept. It holds the rows of
`ErnestSDavis/winograd_wsc`, which is a loading script, and scripts are not run here.
Licence: CC BY 4.0.
Splits: 50 train, 50 dev, 150 test, 10 format and 10 demo rows: the sizes of the paper. From the hub they are drawn
here, so they are not the paper's rows.
Metric: the paper reports ROUGE-L. Between two single letters ROUGE-L is 1 or 0, the same as accuracy; naming it
accuracy lets the exact tests for 0/1 metrics apply.

Worked example (ours):
    input   'The ladder would not fit in the van because it was too long. What does the pronoun "it" refer to?
             (A) The ladder
             (B) The van'
    target  "(A)"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpo.task.benchmarks.spec import Benchmark, Home, Record, Rows
from gpo.task.benchmarks.split_rows import split_rows

_NAME: Final = "wsc"
_SIZES: Final = {"train": 50, "dev": 50, "test": 150, "format": 10, "demos": 10}


def benchmarks() -> list[Benchmark]:
    """The one task."""
    return [
        Benchmark(
            name=_NAME,
            description="Say which of two things a pronoun means: (A) or (B).",
            answer={"kind": "choice"},
            metric="accuracy",
            sizes=_SIZES,
            home=Home(repo="lighteval/winograd_wsc", config="wsc273", revision="main", parts=("test",)),
            licence="CC BY 4.0",
            divide=_divide,
        )
    ]


def _divide(parts: Mapping[str, Sequence[Record]]) -> dict[str, Rows]:
    return split_rows(_NAME, [_row(record) for record in parts["test"]], _SIZES)


def _row(record: Record) -> dict[str, Any]:
    options = [f"({letter}) {text}" for letter, text in zip("AB", record["options"], strict=True)]
    question = f'{record["text"]} What does the pronoun "{record["pronoun"]}" refer to?'
    return {"input": "\n".join([question, *options]), "target": f"({'AB'[int(record['label'])]})"}
