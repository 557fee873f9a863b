"""GSM8K: word problems of grade school mathematics (Cobbe et al. 2021).

Home: the Hugging Face data set `openai/gsm8k`, configuration `main`, pinned.
Licence: MIT.
Splits: 100 train, 100 dev, 5 format and 5 demo rows out of its train part, 300 test rows out of its test part: the
sizes of the paper. From the hub they are drawn here, so they are not the paper's rows.

Worked example (ours):
    input   "A crate holds 6 bottles. Rosa carries 4 crates and drops 3 bottles. How many bottles are left?"
    target  21
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpo.task.benchmarks.spec import Benchmark, Home, Record, Rows
from gpo.task.benchmarks.split_rows import split_parts

_NAME: Final = "gsm8k"
_SIZES: Final = {"train": 100, "dev": 100, "test": 300, "format": 5, "demos": 5}
_FINAL: Final = "####"


def benchmarks() -> list[Benchmark]:
    """The one task."""
    return [
        Benchmark(
            name=_NAME,
            description="Solve a word problem in a few steps: a number.",
            answer={"kind": "number"},
            metric="accuracy",
            sizes=_SIZES,
            home=Home(
                repo="openai/gsm8k",
                config="main",
                revision="e53f048856ff4f594e959d75785d2c2d37b678ee",
                parts=("train", "test"),
            ),
            licence="MIT",
            divide=_divide,
        )
    ]


def _divide(parts: Mapping[str, Sequence[Record]]) -> dict[str, Rows]:
    learnt, tested = ([_row(record) for record in parts[part]] for part in ("train", "test"))
    return split_parts(_NAME, learnt, tested, _SIZES)


def _row(record: Record) -> dict[str, Any]:
    # The published answer is the whole solution; the number stands behind its last "####".
    number = float(str(record["answer"]).rsplit(_FINAL, 1)[-1].replace(",", "").strip())
    return {"input": str(record["question"]), "target": int(number) if number.is_integer() else number}
