"""The table's budget, the last duel and the choice of the answer, on outcomes that are known beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import numpy as np

from gpo.evaluation.outcome import Outcome
from gpo.evaluation.score import Scorer
from gpo.optimizer.plus.account import Account
from gpo.optimizer.plus.contest import pick
from gpo.optimizer.plus.duel import choose_answer, duel
from gpo.optimizer.plus.estimates import PosteriorEstimates, estimate_by_means
from gpo.optimizer.plus.plan import plan_schedule
from gpo.optimizer.plus.standing import Standing
from gpo.optimizer.plus.table import Entry, ScoreRow, ScoreTable
from gpo.task.demonstrations import Demonstration
from gpo.task.example import Example

ROWS = [
    ScoreRow("dev" if i < 12 else "train", Example(str(i), f"Row {i}", "ab"[i % 2]), "ab"[i % 2])
    for i in range(24)
]


class Known(Scorer):
    """Prompt "0.7" is right on the rows under 70 % of a fixed shuffle; "left" always says a."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self._hard = Random(5).sample(range(24), 24)

    async def outcomes(
        self, prompts: Sequence[str], examples: Sequence[Example], split: str
    ) -> list[list[Outcome]]:
        self.asked += [(prompt, example.id) for prompt in prompts for example in examples]
        return [[self._outcome(prompt, example) for example in examples] for prompt in prompts]

    def _outcome(self, prompt: str, example: Example) -> Outcome:
        right = "ab"[int(example.id) % 2]
        if prompt == "left":
            return Outcome(example, float(right == "a"), "a")
        good = self._hard[int(example.id)] < 24 * float(prompt.split()[0])
        return Outcome(example, float(good), right if good else "ab"[right == "a"])


def table(pairs: int, *words: str) -> tuple[ScoreTable, Known]:
    scorer = Known()
    made = ScoreTable(scorer, ROWS, pairs)
    for text in words:
        made.add(Entry(text))
    return made, scorer


async def test_nothing_is_asked_twice_or_beyond_the_budget() -> None:
    made, scorer = table(10, "0.5", "0.9")
    await made.ask([0, 1], [0, 1, 2])
    assert (made.left, made.asked) == (4, 6)
    await made.ask([0, 1], [0, 1, 2, 3, 4, 5])
    assert made.left == 0
    assert len(set(scorer.asked)) == len(scorer.asked) == 10
    assert [made.met(entry) for entry in (0, 1)] == [5, 5], "what is left is shared"
    assert np.isnan(made.scores()[0, 5])
    assert made.add(Entry("0.5")) == 0, "the same prompt"


async def test_a_duel_is_on_rows_that_no_finalist_met_and_finds_the_best() -> None:
    made, scorer = table(8 * 4, "0.4", "0.5", "0.6", "0.9")
    await made.ask(range(4), range(8))
    before = len(scorer.asked)
    made.left = 4 * 8
    standing = Standing(made, posterior=True)
    part = await duel(made, lambda: standing.estimates, standing.eligible, 4, Random(0))
    assert set(part) == {0, 1, 2, 3}
    assert not {row for _, row in scorer.asked[before : before + 16]} & {str(row) for row in range(8)}
    assert made.left == 0
    assert made.met(3) > made.met(0), "the better half goes on"
    assert choose_answer(made, standing.estimates, part) == 3


async def test_a_duel_shares_what_is_left_among_its_rounds_in_blocks_of_four_rows() -> None:
    made, scorer = table(100, "0.4", "0.5", "0.6", "0.9")
    standing = Standing(made, posterior=True)
    await made.ask(range(4), range(4))
    scorer.asked.clear()
    made.left = 88
    await duel(made, lambda: standing.estimates, standing.eligible, 4, Random(0))
    # log2 4 = 2 rounds of 44 pairs, 11 for each of four prompts: two whole blocks, 8 rows.
    assert Counter(prompt for prompt, _ in scorer.asked[:32]) == {"0.4": 8, "0.5": 8, "0.6": 8, "0.9": 8}


async def test_a_duel_ends_where_all_rows_are_met() -> None:
    made, _ = table(24 * 2, "0.4", "0.9")
    standing = Standing(made, posterior=True)
    await made.ask([0, 1], range(4))
    made.left = 1000
    await duel(made, lambda: standing.estimates, standing.eligible, 6, Random(0))
    assert made.asked == 48


def test_of_prompts_that_are_nearly_as_good_the_shortest_is_the_answer() -> None:
    made, _ = table(0, "long words here", "short", "bad")
    found = PosteriorEstimates(np.array([1.0, 0.8, 0.6]), np.array([0.5, 0.5, 0.5]), np.zeros((3, 24)))
    assert choose_answer(made, found, [0, 1, 2]) == 1
    sure = PosteriorEstimates(found.theta, np.array([0.3, 0.5, 0.5]), found.probabilities)
    assert choose_answer(made, sure, [0, 1, 2]) == 0


async def test_a_shorter_one_of_which_little_is_known_is_not_the_answer() -> None:
    made, _ = table(100, "0.7 and more words", "0.6")
    await made.ask([0], range(12))
    await made.ask([1], range(8))
    found = PosteriorEstimates(np.array([1.0, 0.9]), np.array([0.5, 0.5]), np.zeros((2, 24)))
    assert choose_answer(made, found, [0, 1]) == 0
    await made.ask([1], range(9))
    assert choose_answer(made, found, [0, 1]) == 1


async def test_one_that_may_guess_is_asked_more_before_it_is_picked() -> None:
    made, _ = table(100, "left", "0.3")
    await made.ask([0, 1], [0, 2, 1, 4])  # three rows of four whose answer is a
    standing = Standing(made, posterior=True)
    assert standing.leader == 0
    assert await pick(made, standing, [0, 1], range(12)) == 1
    assert standing.guessing == [0]


async def test_plain_means_rank_those_behind_that_met_few_rows() -> None:
    made, _ = table(100, "1", "0.7")
    await made.ask([0], range(3))
    await made.ask([1], range(12))
    found = estimate_by_means(made.scores())
    assert found.mean(0) == 1.0
    assert found.theta[0] < found.theta[1]


def test_what_each_part_brought_is_told_along_the_line_of_the_answer() -> None:
    shown = (Demonstration("Row 1", "a"),)
    made, _ = table(0, "given", "hint")
    made.add(Entry("hint", shown))
    made.add(Entry("edited hint", shown, parent=2, move="edit"))
    made.add(Entry("written", shown, parent=3, move="meta-prompt"))
    made.add(Entry("other", parent=1, move="reflection"))
    for entry in range(6):
        made._outcomes[entry][0] = Outcome(ROWS[0].example, 1.0, "a")
    means = np.array([0.1, 0.5, 0.6, 0.65, 0.8, 0.3])
    found = PosteriorEstimates(means, means, np.repeat(means[:, None], 24, axis=1))
    account = Account(
        table=made, estimates=found, plan=plan_schedule(60, dev=12, fresh=12), leader=4, guessing=(), replies=2,
        unusable=0, estimated_by="", starts={0: "start", 1: "label hint", 2: "label hint, with demonstrations"},
        moves={"edit": {"tried": 3, "finalists": 1}, "meta-prompt": {"tried": 2, "finalists": 1},
               "reflection": {"tried": 1, "finalists": 0}},
    )  # fmt: skip
    # 0.1 to 0.5 by the hint, 0.1 more with its demonstration, 0.05 by the edit, 0.15 by the words of the optimizer.
    assert [
        (item.part, round(item.gain, 6), item.tried, item.finalists) for item in account.contributions()
    ] == [
        ("start library", 0.4, 2, 0),
        ("demonstrations", 0.1, 0, 0),
        ("edits", 0.05, 3, 1),
        ("written by the optimizer model", 0.15, 3, 1),
    ]
