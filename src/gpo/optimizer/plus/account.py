"""What a search of gpo+ says of itself: for `result.json`, and as lines for a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from gpo.optimizer.plus.estimates import Estimates
from gpo.optimizer.plus.moves.library import GAIN
from gpo.optimizer.plus.moves.signal import Signal
from gpo.optimizer.plus.plan import Schedule
from gpo.optimizer.plus.table import ScoreTable

UNUSABLE = 0.9
"""Of the optimizer model's replies: from here on they were of no use."""
SHOWN_DIRECTIONS = 10


LIBRARY, DEMONSTRATIONS = "start library", "demonstrations"
PARTS = (LIBRARY, DEMONSTRATIONS, "edits", "written by the optimizer model")
PART_OF_MOVE = {
    "edit": PARTS[2],
    "demonstrations": DEMONSTRATIONS,
    "meta-prompt": PARTS[3],
    "reflection": PARTS[3],
}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a `part` of the search brought to the dev estimate of the answer (0..1), how many of its candidates were
    `tried`, and how many of these reached the final of a step."""

    part: str
    gain: float
    tried: int
    finalists: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The state of a search: `starts` are the start prompts by their numbers, `moves` how often candidates of each
    move were tried and reached the final of their step, `leader` is the answer or the best so far, `said` are lines
    from on the way."""

    table: ScoreTable
    estimates: Estimates
    plan: Schedule
    starts: Mapping[int, str]
    moves: Mapping[str, Mapping[str, int]]
    guessing: Collection[int]
    leader: int
    replies: int
    unusable: int
    estimated_by: str
    signal: Signal | None = None
    said: Sequence[str] = ()

    def numbers(self) -> dict[str, object]:
        """Plain JSON values."""
        entry = self.table.entries[self.leader]
        return {
            "dev_scores_by": self.estimated_by,
            "rows": {split: sum(row.split == split for row in self.table.rows) for split in ("dev", "train")},
            "plan": asdict(self.plan),
            "pairs": self.table.asked,
            "best": {
                "move": self.starts.get(self.leader, entry.move),
                "demonstrations": len(entry.demonstrations),
                "sd_logits": float(self.estimates.sd[self.leader]),
                "rows_met": self.table.met(self.leader),
            },
            "starts": {
                name: {
                    "dev": self.estimates.mean(number),
                    "rows_met": self.table.met(number),
                    "guessing": number in self.guessing,
                }
                for number, name in self.starts.items()
                if self.table.met(number)
            },
            "contributions": [asdict(item) for item in self.contributions()],
            "moves": {move: dict(counts) for move, counts in self.moves.items()},
            "optimizer_replies": {"all": self.replies, "unusable": self.unusable},
            **self._directions(),
        }

    def lines(self) -> list[str]:
        """What a person should know; none where all went as it should."""
        return [*self.said, *self._library(), *self._guesses(), *self._optimizer()]

    def contributions(self) -> list[Contribution]:
        """What each part brought: by the estimates, along the line from the given prompt to the answer. They add up to
        the difference between these two."""
        gains = dict.fromkeys(PARTS, 0.0)
        mean = self.estimates.mean
        line = self.leader
        while (parent := self.table.entries[line].parent) is not None:
            gains[PART_OF_MOVE[self.table.entries[line].move]] += mean(line) - mean(parent)
            line = parent
        entry = self.table.entries[line]
        plain = self.table.find(entry.words) if entry.demonstrations else None
        if plain is not None and self.table.met(plain):
            gains[DEMONSTRATIONS] += mean(line) - mean(plain)
            line = plain
        gains[LIBRARY] += mean(line) - mean(0)
        tried = dict.fromkeys(PARTS, 0)
        finals = dict.fromkeys(PARTS, 0)
        tried[LIBRARY] = sum(1 for number in self.starts if number and self.table.met(number))
        for move, counts in self.moves.items():
            tried[PART_OF_MOVE[move]] += counts.get("tried", 0)
            finals[PART_OF_MOVE[move]] += counts.get("finalists", 0)
        return [Contribution(part, gains[part], tried[part], finals[part]) for part in PARTS]

    def _library(self) -> list[str]:
        found = []
        others = [number for number in self.starts if number and self.table.met(number)]
        if others:
            best = max(others, key=self.estimates.mean)
            if self.estimates.mean(best) < self.estimates.mean(0) + GAIN:
                found.append("no start prompt of the library is better than the given one")
        if self.leader in self.starts and self.leader:
            found.append(
                f"the search found nothing better than a start prompt of the library ({self.starts[self.leader]})"
            )
        elif self.leader == 0:
            found.append("the search found nothing better than the prompt that it began with")
        return found

    def _guesses(self) -> list[str]:
        named = [self.starts[number] for number in sorted(self.guessing) if number in self.starts]
        if not self.guessing:
            return []
        which = f", among them these start prompts: {'; '.join(named)}" if named else ""
        return [
            f"{len(self.guessing)} prompts only guess: under each the model says nearly always the same{which}"
        ]

    def _optimizer(self) -> list[str]:
        if not self.replies or self.unusable < UNUSABLE * self.replies:
            return []
        return [
            f"{self.unusable} of {self.replies} replies of models.optimizer were no usable prompts; the search went on "
            "with its library, edits and demonstrations"
        ]

    def _directions(self) -> dict[str, object]:
        if self.signal is None:
            return {}
        return {"signal": [asdict(item) for item in self.signal.strongest(SHOWN_DIRECTIONS)]}
