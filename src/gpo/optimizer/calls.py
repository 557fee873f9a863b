"""What a method may ask for over a whole run, told by those who ask: each part, each published protocol.

`gpo.run.estimate.estimate` only sums it. Calls and what a prompt holds are counted here; tokens and prices there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is known before a run: rows of `train` and `dev`, the most tokens of an optimizer reply, and `k`, how many
    prompts a trajectory shows (`optimize.k`). `most` asks for what cannot be exceeded, else for what is expected."""

    train: int
    dev: int
    max_tokens: int = 512
    k: int = 3
    most: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptContent:
    """What a prompt for the optimizer model holds beside its template: earlier task prompts, task examples with their
    answers, `failures` (examples with the task model's reply too), and the most tokens of earlier optimizer replies."""

    prompts: int = 0
    examples: int = 0
    failures: int = 0
    reply_tokens: int = 0

    def __add__(self, other: PromptContent) -> PromptContent:
        return PromptContent(
            prompts=self.prompts + other.prompts,
            examples=self.examples + other.examples,
            failures=self.failures + other.failures,
            reply_tokens=self.reply_tokens + other.reply_tokens,
        )

    def times(self, count: int) -> PromptContent:
        """As much `count` times."""
        return PromptContent(
            prompts=self.prompts * count,
            examples=self.examples * count,
            failures=self.failures * count,
            reply_tokens=self.reply_tokens * count,
        )


@dataclass(frozen=True, slots=True)
class OptimizerCalls:
    """`count` calls for `n` replies of at most `max_tokens` each, over the whole run, with one prompt each."""

    count: int
    n: int
    max_tokens: int
    content: PromptContent


@dataclass(frozen=True, slots=True)
class RowUse:
    """How often the rows of a split are asked. `times` has a number for each row, the largest first, as nobody knows
    which row it will be; `pairs` are (prompt, row) pairs beside them, of any rows."""

    times: tuple[int, ...] = ()
    pairs: int = 0

    @property
    def total(self) -> int:
        """(prompt, row) pairs in all."""
        return sum(self.times) + self.pairs

    def __add__(self, other: RowUse) -> RowUse:
        times = tuple(a + b for a, b in zip_longest(self.times, other.times, fillvalue=0))
        return RowUse(times, self.pairs + other.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What a part, or a whole method, may ask for: rows of train and dev to be scored, and optimizer calls.

    `shown` is what a part puts into the meta-prompt of every step: an information's for each prompt that is shown, a
    trajectory's for the past without the current prompt. `prompt_tokens` is the most tokens of a prompt that the method
    writes (0: it writes none), `templates` the folder in `texts/` with its templates. `demonstrations` is how many rows
    of train a prompt may hold as worked examples.
    """

    train: RowUse = RowUse()
    dev: RowUse = RowUse()
    optimizer: tuple[OptimizerCalls, ...] = ()
    shown: PromptContent = PromptContent()
    prompt_tokens: int = 0
    templates: str = ""
    demonstrations: int = 0


@runtime_checkable
class CountsCalls(Protocol):
    """An option of a part that knows its cost; `count_part_calls` says what is taken for one without this method."""

    def calls(self, total: int, sizes: Sizes) -> Calls:
        """What it may ask for over `total` steps."""


def count_part_calls(part: object, total: int, sizes: Sizes, default: Calls) -> Calls:
    """What `part` says of itself, or `default` for a user's own part that says nothing.

    The defaults ask no model: an information shows the prompt alone, a trajectory `sizes.k` earlier prompts, and the
    other two parts add nothing.
    """
    return part.calls(total, sizes) if isinstance(part, CountsCalls) else default
