"""The pool as the meta-prompt and the records of steps show it. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpo.optimizer.candidates import Candidate
from gpo.optimizer.plus.standing import Standing
from gpo.optimizer.plus.table import ScoreTable
from gpo.optimizer.search import ScoredCandidate
from gpo.optimizer.skeleton import add_score
from gpo.optimizer.state import Information, Visited


class PoolView:
    """Shows entries of `table` with what is believed of them; `starts` are the names of start prompts."""

    def __init__(self, table: ScoreTable, standing: Standing, starts: Mapping[int, str]) -> None:
        self._table, self._standing, self._starts = table, standing, starts

    def point(self, number: int) -> Visited:
        """A point of the trajectory: the meta-prompt shows the words of a prompt, and how many examples it has."""
        entry = self._table.entries[number]
        score = self._standing.estimates.mean(number)
        # Where those of a program's prompts stand is its own business.
        shown = sum(not item.part for item in entry.demonstrations)
        notes = f"{shown} worked examples stand before the question" if shown else None
        return Visited(entry.prompt, score, 0, Information(entry.words, score, notes=notes))

    def path(self, visited: Sequence[Visited], current: int) -> list[int]:
        """The entries that were current, in their order, `current` last; of equal words the last."""
        numbers = [self._table.find(point.prompt) for point in visited]
        path = [*(n for n in numbers if n is not None and n != current), current]
        last = {self._table.entries[number].words: number for number in path}
        return [number for number in path if last[self._table.entries[number].words] == number]

    def candidate(self, item: Candidate) -> ScoredCandidate:
        """A candidate with what is believed of it, where anything was asked."""
        number = self._table.find(item.prompt) if item.rejected is None else None
        if number is None or not self._table.met(number):
            return add_score(item)
        mean = self._standing.estimates.mean(number)
        return add_score(item, estimate=mean, estimate_rows=self._table.met(number))

    def entry_as_candidate(self, number: int, parent: str) -> ScoredCandidate:
        """An entry of a step that did not make it; `parent` stands for that of a start prompt."""
        entry = self._table.entries[number]
        source = parent if entry.parent is None else self._table.entries[entry.parent].prompt
        move = self._starts.get(number, entry.move)
        return self.candidate(Candidate(entry.prompt, entry.prompt, source, 0, move=move))
