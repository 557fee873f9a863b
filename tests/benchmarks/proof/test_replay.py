"""The replay's arithmetic: what rules may see and pay, every rule, gpo+'s own search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.proof.plus_rule import plus
from benchmarks.proof.replay import main, play, summarise
from benchmarks.proof.rules import RULES
from benchmarks.proof.table import Floats, Replay, Rows, ScoredTable, Spent
from benchmarks.proof.worlds import WORLDS, MadeReplay

from benchmarks.proof import replay as replay_module


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
    runs = [play(table, rule, seed, calls=300, likeness=0.0) for seed in range(4)]
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


def test_gpo_plus_is_told_what_was_asked_and_no_more() -> None:
    table = _table()
    asked = np.zeros(table.search.shape, dtype=bool)

    class Watched(Replay):
        def ask(self, prompt: int, rows: Rows) -> Floats:
            asked[prompt, list(rows)] = True
            return super().ask(prompt, rows)

    replay = Watched(table, budget=300, train=24, seed=3)
    found = plus(replay)
    assert (asked == replay.seen).all()
    assert replay.calls == asked.sum() <= 300
    assert found == plus(Replay(table, budget=300, train=24, seed=3))
    hidden = np.where(asked, table.search, 1 - table.search)
    other = ScoredTable(search=hidden, held_out=table.held_out, texts=table.texts)
    assert found == plus(Replay(other, budget=300, train=24, seed=3)), (
        "values that were not asked play no part"
    )


def test_a_prompt_that_only_guesses_is_not_handed_out() -> None:
    labels = tuple("ab"[row % 2] for row in range(32))
    right = np.random.default_rng(0).random((10, 32)) < 0.25
    right[5] = [label == "a" for label in labels]
    said = [[label if good else {"a": "b", "b": "a"}[label] for label, good in zip(labels, row, strict=True)]
            for row in right]  # fmt: skip
    table = _table(10, 32)
    blind = ScoredTable(search=right.astype(float), held_out=table.held_out, texts=table.texts)
    chosen = [
        [plus(Replay(made, budget=200, train=16, seed=seed)).prompt for seed in range(3)]
        for made in (blind, replace(blind, labels=labels, said=said))
    ]
    assert chosen[0] == [5, 5, 5]
    assert 5 not in chosen[1]


def test_standard_errors_and_paired_differences() -> None:
    def run(gain: float) -> dict[str, float]:
        return {"gain": gain, "flattering": 1.0, "calls": 300, "prompts": 10}

    racing, other = summarise({"racing": [run(1), run(3)], "other": [run(2), run(6)]})
    assert other["gain"] == {"mean": 4.0, "se": pytest.approx(2.0)}
    # Differences 1 and 3: mean 2, standard deviation √2, over √2.
    assert other["over_racing"] == {"mean": 2.0, "se": pytest.approx(1.0)}
    assert racing["over_racing"] == {"mean": 0.0, "se": 0.0}


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
    rules = kept["tasks"]["made: 12 prompts"]["rules"]
    assert [line["rule"] for line in rules] == list(RULES)
    gain = next(line for line in rules if line["rule"] == "gpo+")["gain"]["mean"]
    assert f"| gpo+ | {gain:+.1f} ±" in capsys.readouterr().out
    assert (
        main(
            [
                str(pool),
                "--seeds",
                "2",
                "--calls",
                "60",
                "--out",
                str(tmp_path / "two.json"),
                "--minutes",
                "0",
            ]
        )
        == 3
    )
    assert not (tmp_path / "two.json").exists()
    assert main([str(tmp_path / "none.jsonl")]) == 2


def test_a_stopped_replay_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(12, 16)
    lines: list[dict[str, object]] = [{"settings": {}}]
    lines += [
        {"task": "made", "number": n, "text": text, "start": n == 0, "search": 16,
         "values": [*table.search[n], *table.held_out[n]]}
        for n, text in enumerate(table.texts)
    ]  # fmt: skip
    pool, out = tmp_path / "pool.jsonl", tmp_path / "out.json"
    pool.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [str(pool), "--seeds", "4", "--calls", "60", "--rules", "racing", "UCB", "--out", str(out)]
    assert main(command) == 0
    whole = json.loads(out.read_text())
    out.unlink()
    played: list[int] = []

    def counted(table: ScoredTable, rule: str, seed: int, **options: float) -> dict[str, float]:
        if len(played) == 3:
            raise KeyboardInterrupt
        played.append(seed)
        return play(table, rule, seed, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(replay_module, "play", counted)
    with pytest.raises(KeyboardInterrupt):
        main(command)
    monkeypatch.setattr(replay_module, "play", play)
    kept = tmp_path / "out.json.lines"
    assert len(kept.read_text().splitlines()) == 1 + 3
    assert main(command) == 0
    assert json.loads(out.read_text())["tasks"] == whole["tasks"]
    assert not kept.exists()
    assert main([str(pool), "--rules", "nonsense"]) == 2


def test_a_made_world_has_one_truth_for_all_rules(capsys: pytest.CaptureFixture[str]) -> None:
    world = WORLDS["strong"]
    one = MadeReplay(world, budget=50, train=12, dev=12, seed=1)
    other = MadeReplay(world, budget=50, train=12, dev=12, seed=1)
    assert one.dev == other.dev
    first = [one.child(0) for _ in range(3)]
    other.ask(0, other.dev)
    assert [other.child(0) for _ in range(3)] == first
    assert one.truths == other.truths
    rows = range(24)
    assert (one.ask(2, rows) == other.ask(2, rows)).all()
    good = one.ask(1, [0])[0]
    assert (one.said(1, 0) == one.labels[0]) == bool(good)
    # An ability of 0.1 with a row sd of 1.2 and interactions of 0.3 is about Phi(0.1 / sqrt(1 + 1.44 + 0.045)).
    starts = [MadeReplay(world, budget=1, train=2, dev=2, seed=seed).truths[0] for seed in range(40)]
    assert np.mean(starts) == pytest.approx(0.525, abs=0.02)
    assert main(["made:flat", "--seeds", "2", "--calls", "60", "--rules", "racing", "gpo+"]) == 0
    assert "| gpo+ |" in capsys.readouterr().out
    assert main(["made:round"]) == 2
