"""WebNLG: write out facts from DBpedia as text (Gardent et al. 2017).

Home: the Hugging Face data set `GEM/web_nlg`, configuration `en`, in the hub's own conversion to Parquet. Not
pinned: the data set's main branch is a loading script, and scripts are not run here; the converted branch is made by
the hub and has no commit that one could rely on. What was read once is kept.
Licence: CC BY-NC-SA 4.0 (not for commercial use).
Splits: 100 train, 100 dev, 5 format and 5 demo rows out of its validation part, 300 test rows out of its test part:
the sizes of the paper, from the parts that give several references. From the hub they are drawn here, so they are
not the paper's rows.
Metric: ROUGE-L of stemmed words against the best of the references, as in the protocol that the paper cites (Wang et
al. 2022, Super-NaturalInstructions). The reply is the text that is compared: there is one round, as in the authors'
code (the paper does not say otherwise).

Worked example (ours):
    input   "Write the following triples as fluent English text.

             Triples:
             Lake_Mirror | country | Norland
             Lake_Mirror | depth | 40"
    target  ["Lake Mirror in Norland is 40 metres deep.", "Norland's Lake Mirror has a depth of 40 metres."]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gpo.task.benchmarks.spec import Benchmark, Home, Record, Rows
from gpo.task.benchmarks.split_rows import split_parts

_NAME: Final = "webnlg"
_SIZES: Final = {"train": 100, "dev": 100, "test": 300, "format": 5, "demos": 5}
_QUESTION: Final = "Write the following triples as fluent English text.\n\nTriples:\n"


def benchmarks() -> list[Benchmark]:
    """The one task."""
    return [
        Benchmark(
            name=_NAME,
            description="Write facts, given as triples, as a text: free text, several references.",
            answer={"kind": "text", "rounds": 1},
            metric="rouge_l",
            sizes=_SIZES,
            home=Home(
                repo="GEM/web_nlg",
                config="en",
                revision="refs/convert/parquet",
                parts=("validation", "test"),
            ),
            licence="CC BY-NC-SA 4.0, not for commercial use",
            divide=_divide,
            note="asked in one round; ROUGE-L compares stemmed words, and of several references the best one counts",
        )
    ]


def _divide(parts: Mapping[str, Sequence[Record]]) -> dict[str, Rows]:
    learnt, tested = ([_row(record) for record in parts[part]] for part in ("validation", "test"))
    return split_parts(_NAME, learnt, tested, _SIZES)


def _row(record: Record) -> dict[str, Any]:
    triples = record["input"]
    references = list(record["references"]) or [record["target"]]
    return {
        "input": _QUESTION + (triples if isinstance(triples, str) else "\n".join(triples)),
        "target": list(dict.fromkeys(references)),
    }
