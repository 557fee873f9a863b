"""Racing: who goes on, what is asked, and what a score rests on."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.errors import PermanentModelError
from gpo.evaluation.outcome import Score
from gpo.evaluation.race import FirstRound, discriminative_rows, evaluations_per_row, first_round, pairs, race
from gpo.evaluation.score import Scorer
from gpo.model.model import Reply, Request
from gpo.task.task import Task

ROWS = 24


class Judge:
    """Answers row i of prompt "pN" rightly where i is in `right[N]`; counts what it is asked."""

    identity = "judge"

    def __init__(
        self,
        right: dict[str, set[int]],
        broken: frozenset[int] = frozenset(),
        broken_pairs: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self.right, self.broken, self.broken_pairs = right, broken, broken_pairs
        self.asked: Counter[tuple[str, int]] = Counter()

    async def complete(self, request: Request) -> Reply:
        prompt, row = next(
            (p, r)
            for p in self.right
            for r in range(ROWS)
            if request.messages[-1].content == f"Row {r}.\n{p}"
        )
        self.asked[(prompt, row)] += 1
        if row in self.broken or (prompt, row) in self.broken_pairs:
            raise PermanentModelError("refused", scope="call")
        return Reply(texts=("yes" if row in self.right[prompt] else "no",))

    async def aclose(self) -> None:
        pass


def scorer(
    right: dict[str, set[int]],
    broken: frozenset[int] = frozenset(),
    broken_pairs: frozenset[tuple[str, int]] = frozenset(),
) -> tuple[Scorer, Judge]:
    rows = [{"input": f"Row {i}.", "target": "yes"} for i in range(ROWS)]
    others = [{"input": f"Other {i}.", "target": "no"} for i in range(2)]
    task = Task.from_rows(
        {"train": others, "dev": rows, "test": others},
        answer={"kind": "label", "labels": ["yes", "no"]},
        allow_overlap=True,
    )
    judge = Judge(right, broken, broken_pairs)
    return Scorer(task, judge), judge


def test_a_first_round_of_eight_candidates_on_48_examples() -> None:
    assert first_round(8, 48) == FirstRound(8, 3)
    # 8 × 8 + 3 × 40
    assert pairs(8, 48) == 184
    assert evaluations_per_row(8, 48) == [8] * 8 + [3] * 40
    assert first_round(6, 24) == FirstRound(4, 2)
    assert first_round(9, 60) == FirstRound(10, 3)
    assert first_round(2, 48) is None, "two candidates are the finalists"
    assert pairs(1, 48) == 48
    assert first_round(8, 4) is None, "a first round on everything would be the final"


@given(st.integers(0, 40), st.integers(1, 500))
def test_a_race_never_asks_more_than_scoring_everybody_nor_less_than_one_with_fewer(
    candidates: int, examples: int
) -> None:
    assert pairs(candidates, examples) <= candidates * examples
    assert pairs(candidates, examples) <= pairs(candidates + 1, examples)


def test_examples_that_tell_prompts_apart_come_first() -> None:
    def score(name: str, *values: float | None) -> Score:
        return Score(name, "dev", values)

    # Variances by hand: row 0 none, row 1 of (0, 1, 1) 2/9, row 2 none, row 3 of (0, 1) 1/4, one failed.
    scores = [score("a", 1, 0, 0, 0), score("b", 1, 1, 0, None), score("c", 1, 1, 0, 1)]
    rows = discriminative_rows(scores, 4, Random(0))
    assert rows[:2] == [3, 1]
    assert sorted(rows[2:]) == [0, 2]
    assert discriminative_rows(scores, 4, Random(0)) == rows
    partial = Score("d", "dev", (0.0,), rows=(2,))
    assert discriminative_rows([*scores, partial], 4, Random(0)) == rows, "a score on a part is not asked"
    assert sorted(discriminative_rows([], 30, Random(1))) == list(range(30))


def test_the_latest_six_scores_say_which_rows_tell_prompts_apart() -> None:
    # Over all eight row 0 differs most (3/16 against 7/64); the last six all got it wrong, and one got row 1.
    values = [(1, 0, 0), (1, 0, 0), *[(0, 0, 0)] * 5, (0, 1, 0)]
    scores = [Score(f"p{n}", "dev", tuple(map(float, row))) for n, row in enumerate(values)]
    for seed in range(20):
        assert discriminative_rows(scores, 3, Random(seed))[0] == 1
        assert discriminative_rows(scores[:-1], 3, Random(seed))[0] == 0, (
            "a score earlier, row 0 still told two apart"
        )


def test_rows_that_differ_alike_stay_in_the_random_order() -> None:
    # The same six grades in another order for every row: one variance, whatever the order of its terms.
    grades = [0.1, 0.2, 0.3, 0.6, 0.7, 0.95]
    columns = [Random(row).sample(grades, len(grades)) for row in range(30)]
    scores = [Score(f"p{n}", "dev", tuple(column[n] for column in columns)) for n in range(len(grades))]
    for seed in range(5):
        assert discriminative_rows(scores, 30, Random(seed)) == discriminative_rows([], 30, Random(seed))


async def test_the_best_third_goes_on_and_the_winner_is_scored_on_everything() -> None:
    right = {f"p{n}": {row for row in range(ROWS) if row % 8 < n} for n in range(8)}
    examined, judge = scorer(right)
    raced = await race(examined, list(right), range(ROWS - 1, -1, -1))
    assert raced.winner == "p7"
    assert raced.scores["p7"].complete
    assert raced.scores["p7"].mean() == 21 / 24
    assert sum(judge.asked.values()) == pairs(8, ROWS)
    assert set(judge.asked.values()) == {1}, "nothing is asked twice"
    assert set(raced.scores["p0"].rows or ()) == {20, 21, 22, 23}, "a dropped one says what it rests on"
    assert not raced.scores["p0"].complete
    assert examined.find_score("p0", "dev") is None, "and never passes for a full score"


async def test_equals_go_by_their_order() -> None:
    right = {f"p{n}": {1, 2, 3} for n in range(6)}
    raced = await race(scorer(right)[0], list(right), range(ROWS))
    assert raced.winner == "p0"


async def test_known_scores_are_compared_on_the_same_rows() -> None:
    # Over all rows p0 is best; on the first four, which the first round is about, it has none.
    right = {"p0": set(range(4, ROWS)), "p1": {0, 1, 2}, "p2": {0, 1, 2, 3}, "p3": {0, 1}}
    examined, judge = scorer(right)
    await examined.score(["p0"])
    raced = await race(examined, list(right), range(ROWS))
    assert raced.winner == "p2"
    assert raced.scores["p0"].complete, "a full score stays one"
    assert judge.asked[("p0", 0)] == 1


async def test_an_example_that_fails_counts_for_nobody() -> None:
    right = {"p0": {1, 2, 3, 4, 5, 6}, "p1": {0, 1}, "p2": {0, 2}, "p3": {0, 3}}
    examined, _ = scorer(right, broken=frozenset({0}))
    raced = await race(examined, list(right), range(ROWS))
    assert raced.winner == "p0"
    assert examined.excluded("dev") == {0}


async def test_an_example_that_fails_for_one_prompt_counts_for_no_other_either() -> None:
    # Row 0 is refused to p2 alone. Without it p2 has three of the first four rows, p1 two; were its failure a 0, both
    # had three, and p2, the last of equals, would drop out.
    right = {"p0": {0, 1, 2, 3}, "p1": {0, 1, 2}, "p3": {0}, "p2": {1, 2, 3, 4, *range(8, ROWS)}}
    examined, judge = scorer(right, broken_pairs=frozenset({("p2", 0)}))
    raced = await race(examined, list(right), range(ROWS))
    assert raced.winner == "p2"
    assert raced.scores["p2"].complete
    assert judge.asked[("p0", 0)] == 1, "the others were asked and answered"
    assert examined.mean(raced.scores["p2"]) == 20 / 23
    assert examined.mean(raced.scores["p0"]) == 3 / 23


async def test_score_rows_fills_up_to_the_whole_split() -> None:
    examined, judge = scorer({"p0": {0, 5}})
    (part,) = await examined.score_rows(["p0"], "dev", [5, 6])
    assert (part.values, part.rows) == ((1.0, 0.0), (5, 6))
    (whole,) = await examined.score(["p0"])
    assert whole.complete
    assert whole.mean() == pytest.approx(2 / 24)
    assert sum(judge.asked.values()) == ROWS
