"""The replay's arithmetic: what rules may see and pay, the posterior against values worked out by hand, every rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.proof.plus_rule import plus
from benchmarks.proof.posterior import Estimate, Floats, Mask, plan, rasch
from benchmarks.proof.replay import main, play, summarise
from benchmarks.proof.rules import RULES
from benchmarks.proof.table import Replay, ScoredTable, Spent


def _table(prompts: int = 40, rows: int = 48, seed: int = 0) -> ScoredTable:
    """Prompts whose ability grows with their number, the start prompt among the worst."""
    rng = np.random.default_rng(seed)
    ability = np.linspace(-2, 1.5, prompts)
    ease = rng.normal(0, 1, 2 * rows)
    right = rng.random((prompts, 2 * rows)) < 1 / (1 + np.exp(-(ability[:, None] + ease)))
    values = right.astype(float)
    texts = tuple(f"prompt {number}" for number in range(prompts))
    return ScoredTable(search=values[:, :rows], held_out=values[:, rows:], texts=texts)


def test_a_search_pays_once_for_a_value_and_sees_no_other() -> None:
    replay = Replay(_table(), budget=10, train=24, seed=0)
    replay.ask(0, replay.dev[:4])
    replay.ask(0, replay.dev[:6])
    assert replay.calls == 6
    with pytest.raises(ValueError, match="not asked for"):
        replay.values(0, replay.dev[:7])
    with pytest.raises(Spent):
        replay.ask(1, replay.dev[:6])
    assert replay.calls == 10, "what the budget covers is asked"
    assert replay.known(1)[0] == sorted(replay.dev[:4])
    assert set(replay.train).isdisjoint(replay.dev)
    assert sorted([*replay.train, *replay.dev]) == list(range(48))


def test_no_child_comes_twice_and_likeness_prefers_the_parent_s_words() -> None:
    replay = Replay(_table(5), budget=10, train=24, seed=0)
    children = [replay.child(0) for _ in range(4)]
    assert sorted(children) == [1, 2, 3, 4]
    with pytest.raises(Spent):
        replay.child(0)
    texts = ("a b c", "a b d", "x y z")
    table = ScoredTable(search=np.zeros((3, 8)), held_out=np.zeros((3, 8)), texts=texts)
    first = [Replay(table, budget=1, train=4, seed=s, likeness=30.0).child(0) for s in range(20)]
    assert first == [1] * 20, "two of four words are shared: weight e^15 to 1"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_stays_in_its_budget_and_finds_better_prompts(rule: str) -> None:
    table = _table()
    runs = [play(table, rule, seed, calls=300, likeness=0.0) for seed in range(12)]
    assert max(run["calls"] for run in runs) <= 300
    assert min(run["calls"] for run in runs) > 150
    assert np.mean([run["gain"] for run in runs]) > 30, "the best prompts are 60 points better than the start"
    again = play(table, rule, 3, calls=300, likeness=0.0)
    assert again == runs[3], "a seed is a search"


def test_gain_and_flattering_are_over_held_out_rows() -> None:
    # One row of search is right for all, held-out rows are harder for all by the same: that is no flattery.
    search = np.array([[1.0, 0, 0, 0], [1, 1, 1, 0]])
    held_out = np.array([[0.0, 0, 0, 0], [1, 0, 1, 0]])
    table = ScoredTable(search=search, held_out=held_out, texts=("start", "other"))
    run = play(table, "best of n", 0, calls=8, likeness=0.0)
    assert run["gain"] == 50.0
    dealt = Replay(table, budget=8, train=2, seed=0).dev
    easier = search.mean() - held_out.mean()
    assert run["flattering"] == pytest.approx(100 * (search[1, dealt].mean() - easier - 0.5))


def test_gepa_pays_for_rows_that_it_asks_again() -> None:
    perfect = ScoredTable(search=np.ones((2, 48)), held_out=np.ones((2, 48)), texts=("start", "other"))
    # No child is drawn where the parent is right on all three rows: 24 for dev, then three at a time to the end.
    assert play(perfect, "GEPA's acceptance and Pareto pool", 0, calls=120, likeness=0.0)["calls"] == 120


def test_the_last_duel_is_on_rows_that_the_search_has_not_met() -> None:
    replay = Replay(_table(200), budget=300, train=24, seed=0)
    plus(replay)
    fresh = replay.seen[:, replay.train].sum()
    assert 0 < fresh <= 60, "only the duel asks rows of train, and 60 calls are kept for it"
    assert replay.seen[:, replay.dev].sum() >= 240


def test_standard_errors_and_paired_differences() -> None:
    def run(gain: float) -> dict[str, float]:
        return {"gain": gain, "flattering": 1.0, "calls": 300, "prompts": 10}

    racing, other = summarise({"racing": [run(1), run(3)], "other": [run(2), run(6)]})
    assert other["gain"] == {"mean": 4.0, "se": pytest.approx(2.0)}
    # Differences 1 and 3: mean 2, standard deviation √2, over √2.
    assert other["over_racing"] == {"mean": 2.0, "se": pytest.approx(1.0)}
    assert racing["over_racing"] == {"mean": 0.0, "se": 0.0}


def test_the_posterior_shrinks_and_knows_rows() -> None:
    values = np.zeros((4, 24))
    asked = np.zeros((4, 24), dtype=bool)
    asked[0], values[0, :12] = True, 1.0
    asked[1, :4], values[1, :4] = True, 1.0
    asked[2, 12:16], values[2, 12:14] = True, 1.0
    found = rasch(values, asked)
    assert np.isneginf(found.mean[3])
    assert found.sd[1] > found.sd[0], "fewer rows, less certainty"
    assert found.accuracy(1) < 0.9, "four of four is not everything"
    # Both were right where others were not: two of four hard rows say more than two of four easy ones would.
    assert found.rows[:12].mean() > found.rows[12:].mean()
    easy = np.zeros((4, 24), dtype=bool)
    easy[0], easy[1, :4], easy[2, :4] = True, True, True
    swapped = values.copy()
    swapped[2] = 0
    swapped[2, :2] = 1
    assert rasch(swapped, easy).mean[2] < found.mean[2]


def test_the_posterior_is_at_its_mode() -> None:
    # One prompt and one row pull on each other; at the mode both slopes of the log posterior are 0.
    values, asked = np.array([[1.0, 1, 0]]), np.ones((1, 3), dtype=bool)
    found = rasch(values, asked)
    chance = 1 / (1 + np.exp(-(found.mean[0] + found.rows)))
    assert (values[0] - chance).sum() - found.mean[0] / 0.5 == pytest.approx(0, abs=1e-3)
    assert values[0] - chance - found.rows / 1.3**2 == pytest.approx(np.zeros(3), abs=1e-3)


def test_the_plan_is_that_of_the_design() -> None:
    small, large = plan(300, 48), plan(3000, 48)
    assert (small.children, small.first, small.second, small.duel) == (4, 4, 8, 60)
    assert (large.children, large.first, large.second) == (6, 6, 35)


def test_another_posterior_and_plan_can_take_their_place() -> None:
    met: list[int] = []

    def counting(values: Floats, asked: Mask) -> Estimate:
        met.append(int(asked.sum()))
        assert not values[~asked].any(), "what was not asked is hidden"
        return rasch(values, asked)

    plus(Replay(_table(), budget=120, train=24, seed=1), posterior=counting)
    assert met == sorted(met)
    assert met[-1] == 120


def test_the_command_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = _table(12, 16)
    lines: list[dict[str, object]] = [{"settings": {}}]
    lines += [
        {"task": "made", "number": n, "text": text, "start": n == 0, "search": 16,
         "values": [*table.search[n], *table.held_out[n]]}
        for n, text in enumerate(table.texts)
    ]  # fmt: skip
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main([str(pool), "--seeds", "3", "--calls", "60", "--out", str(tmp_path / "out.json")]) == 0
    kept = json.loads((tmp_path / "out.json").read_text())
    rules = kept["tasks"]["made"]["rules"]
    assert [line["rule"] for line in rules] == list(RULES)
    assert f"| gpo+ | {rules[-1]['gain']['mean']:+.1f} ±" in capsys.readouterr().out
    assert main([str(tmp_path / "none.jsonl")]) == 2
