"""What differs between two prompts, prompt by prompt where a task has several."""

from __future__ import annotations

from dataclasses import dataclass

from gpo.result.word_diff import Piece, compare_words
from gpo.task.program.parts import read_parts


@dataclass(frozen=True, slots=True)
class PartChange:
    """One of several prompts before and after, by its name; "" is the name of one that is alone."""

    name: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether any character differs."""
        return self.before != self.after

    def pieces(self) -> list[Piece]:
        """The words of both, in reading order."""
        return list(compare_words(self.before, self.after))


def match_parts(before: str, after: str) -> list[PartChange]:
    """The named prompts of both, where both have the same names; else both as one prompt without a name."""
    old, new = read_parts(before), read_parts(after)
    if not old or old.keys() != new.keys():
        return [PartChange("", before, after)]
    return [PartChange(name, old[name], text) for name, text in new.items()]


def changed_parts(before: str, after: str) -> list[PartChange]:
    """Those of `match_parts` that differ; all of them where none does."""
    found = match_parts(before, after)
    return [part for part in found if part.changed] or found
