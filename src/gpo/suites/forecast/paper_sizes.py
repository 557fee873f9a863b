"""What the paper's runs were (Implementation Details and the released splits), for `gpo bench … --plan`."""

from __future__ import annotations

from dataclasses import dataclass

BATCH, EPOCHS, CANDIDATES, SEEDS = 8, 3, 8, 3


@dataclass(frozen=True, slots=True)
class PaperSizes:
    """Rows a split of one task; for MMLU about, as subjects differ."""

    train: int
    dev: int
    test: int

    @property
    def steps(self) -> int:
        """3 epochs of ⌈train / 8⌉ steps."""
        return EPOCHS * -(-self.train // BATCH)


SIZES = {
    "bbh": PaperSizes(48, 48, 144),
    "gsm8k": PaperSizes(100, 100, 300),
    "mmlu": PaperSizes(20, 20, 60),
    "wsc": PaperSizes(50, 50, 150),
    "webnlg": PaperSizes(100, 100, 300),
}
"""By the part of a benchmark's name before the slash."""


def sizes_of(task: str) -> PaperSizes | None:
    """The paper's sizes of a benchmark, None where the paper has none of that name."""
    return SIZES.get(task.partition("/")[0])
