"""Runs side by side: what is grouped and averaged, what a run costs, where lines stand, two runs on the same rows."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from gpo.errors import RunError
from gpo.evaluation.statistics import compare_counts
from gpo.report.charts.curve import draw_scores
from gpo.report.charts.tree import tree
from gpo.report.comparison.compare import COLUMNS, compare_html
from gpo.report.comparison.compared import read_compared
from gpo.report.comparison.differences import differing_keys, name_setting
from gpo.report.comparison.groups import curves_of, group_runs
from gpo.report.comparison.pair import Scored, compare_pair, read_scored, turn
from gpo.report.data import read_run
from gpo.report.terminal import show
from gpo.result.result import Result
from gpo.run.journal_writer import EXAMPLES, prompt_id
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from tests.report.support import Diary, copy_run, run_sums
from tests.report.test_page import packed, tags


def table(html: str, name: str = "Runs") -> list[list[str]]:
    """The cells of every row of a table's body."""
    found = re.search(rf'aria-label="{name}"><table[^>]*>(.*?)</table>', html, re.S)
    body = found[1].split("<tbody", 1)[1] if found else ""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.S)
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)]
        for row in rows
    ]


def column(row: list[str], name: str) -> str:
    return row[2 + COLUMNS.index(name)]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two seeds of one configuration, one of them twice, and runs of other data and of another method."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {
        "ours-0": {"seed": 0},
        "ours-0-again": {"seed": 0},
        "ours-1": {"seed": 1},
        "other data": {"seed": 2, "sizes": (16, 12, 10)},
        "other method": {"seed": 3, "method": {"trajectory": "importance"}},
    }
    for name, options in runs.items():
        run_sums(folder / name, **options)  # type: ignore[arg-type]
    return {name: folder / name for name in runs}


def test_means_are_over_distinct_seeds_of_one_configuration_and_the_same_data(
    several: dict[str, Path],
) -> None:
    rows = table(compare_html(several))
    assert [row[1] for row in rows] == [
        "ours",
        "ours-0",
        "ours-0-again",
        "ours-1",
        "other data",
        "other method",
    ]
    assert [row[0] for row in rows] == ["1", "", "", "", "2", "3"]
    whole = rows[0]
    assert column(whole, "seed") == "2 seeds"
    # The seed that was run twice counts once.
    results = [Result.read(several[name] / "result.json") for name in ("ours-0", "ours-1")]
    one, other = (100 * (result.scores.best.test or 0) for result in results)
    mean, spread = (one + other) / 2, abs(one - other) / 2**0.5
    assert column(whole, "held-out test").endswith(f"→ {mean:.1f} ± {spread:.1f}")
    assert "±" not in "".join(rows[4] + rows[5])


def test_a_pace_is_no_other_configuration_and_a_default_need_not_be_written() -> None:
    model = {"model": "openai/a", "concurrency": 4}
    config = {
        "task": {"data": "x"},
        "prompt": "p",
        "models": {"task": model, "optimizer": model},
        "data_digest": "1",
    }
    faster = {**config, "models": {"task": {**model, "concurrency": 64}, "optimizer": model}, "seed": 5}
    written = {**config, "optimize": {"epochs": 3}}
    assert name_setting(config) == name_setting(faster) == name_setting(written)
    for other in ({"data_digest": "2"}, {"optimize": {"epochs": 4}}, {"prompt": "q"}):
        assert name_setting(config) != name_setting({**config, **other})


def test_only_keys_that_differ_are_told() -> None:
    one = {"task": {"data": "x", "target": "t"}, "prompt": "p", "seed": 1, "data_digest": "a" * 32}
    other = {"task": {"data": "x"}, "prompt": "p", "seed": 2, "data_digest": "b" * 32}
    assert differing_keys([one, other]) == [
        ("task.target", ["t", "–"]),
        ("seed", ["1", "2"]),
        ("data (digest of its rows)", ["a" * 10, "b" * 10]),
    ]


def test_long_texts_that_differ_at_their_end_or_in_a_line_break_differ() -> None:
    assert differing_keys([{"prompt": "a\nb"}, {"prompt": "a b"}]) != []
    assert [key for key, _ in differing_keys([{"prompt": "w" * 300 + "a"}, {"prompt": "w" * 300 + "b"}])] == [
        "prompt"
    ]


def test_one_run_whose_rows_are_damaged_is_a_line_where_others_can_be_shown(
    several: dict[str, Path], tmp_path: Path
) -> None:
    copy_run(several["ours-1"], tmp_path / "broken")
    journal = Journal(tmp_path / "broken/journal.sqlite")
    journal.put_meta(f"{EXAMPLES}test", "no rows")
    journal.close()
    runs = {"broken": tmp_path / "broken", "fine": several["ours-0"]}
    html = compare_html(runs, served=True, strict=False)
    assert 'aria-label="Runs"' in html
    assert "broken/journal.sqlite: " in html
    with pytest.raises(RunError):
        compare_html(runs, served=True)


def test_a_run_that_the_store_answered_does_not_stand_at_no_cost(tmp_path: Path) -> None:
    for name, source in (("paid", "sent"), ("stored", "store")):
        diary = Diary(tmp_path / name, source=source)  # type: ignore[arg-type]
        diary.step(["Go on."], right=5)
        diary.close()
    html = compare_html({"paid": tmp_path / "paid", "stored": tmp_path / "stored"})
    _, paid, stored = table(html)
    assert [column(paid, name) for name in ("calls", "tokens")] == ["12 task", "1,260"]
    assert [column(stored, name) for name in ("calls", "tokens")] == [
        "12 task (0 task paid)",
        "1,260 (0 paid)",
    ]
    dots = re.findall(r'class="dot" cx="([\d.]+)"', html.split('class="chart wide"')[-1])[:2]
    assert len(dots) == 2
    assert dots[0] == dots[1]


def write(folder: Path, name: str, *, method: str, seed: int, right: tuple[int, ...]) -> None:
    """A run that has one more step for each number of right dev answers (of 10)."""
    diary = Diary(folder / name, examples=10)
    diary.configure(method=method, seed=seed)
    for number, count in enumerate(right):
        diary.step([f"Try {name} {number}."], right=count)
    diary.close()


def picture(html: str, *, size: str = "wide") -> str:
    found = re.search(
        rf'<svg class="chart {size}"[^>]*aria-label="Best dev score by step.*?</svg>', html, re.S
    )
    assert found
    return found[0]


def heights(drawn: str) -> dict[str, tuple[float, float]]:
    """By group number the score at which its line begins and ends, read off the axis that is drawn beside it."""
    ticks = re.findall(r'<text class="tick"[^>]*y="([\d.]+)"[^>]*text-anchor="end">(\d+)<', drawn)
    (y0, v0), (y1, v1) = ((float(y) - 4, float(value)) for y, value in (ticks[0], ticks[-1]))
    found = {}
    for d, number in re.findall(r'<g class="series s\d+ d\d+" data-group="(\d+)"><path d="([^"]*)"', drawn):
        ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", number)]
        found[d] = (v0 + (ys[0] - y0) * (v1 - v0) / (y1 - y0), v0 + (ys[-1] - y0) * (v1 - v0) / (y1 - y0))
    return found


def test_lines_stand_at_their_true_heights_and_seeds_are_a_band(tmp_path: Path) -> None:
    write(tmp_path, "ours-s0", method="ape", seed=0, right=(2, 4))
    write(tmp_path, "ours-s1", method="ape", seed=1, right=(2, 8, 9))
    write(tmp_path, "b", method="gpo", seed=0, right=(5,))
    directories = {name: tmp_path / name for name in ("ours-s0", "ours-s1", "b")}
    drawn = picture(compare_html(directories))
    found = heights(drawn)
    # 0 right at the start; the mean of 4 and 9 of 10 at the end; 5 of 10.
    assert found == {"1": pytest.approx((0, 65), abs=0.5), "2": pytest.approx((0, 50), abs=0.5)}
    assert len(re.findall(r'class="series s0 d0 band"', drawn)) == 1
    groups = group_runs(
        [read_compared(i + 1, name, path) for i, (name, path) in enumerate(directories.items())]
    )
    curves = curves_of(groups[0])
    assert [group.name for group in groups] == ["ours", "b"]
    assert curves.low == [(0.0, 0.0), (1.0, 0.2), (2.0, 0.4), (3.0, 0.4)]
    assert curves.high == [(0.0, 0.0), (1.0, 0.2), (2.0, 0.8), (3.0, 0.9)]
    assert [value for _, value in curves.middle] == pytest.approx([0, 0.2, 0.6, 0.65])


def test_a_dozen_lines_differ_and_their_names_do_not_touch(tmp_path: Path) -> None:
    names = [f"configuration-{number:02d}" for number in range(12)]
    for right in (4, 5):
        write(tmp_path, str(right), method="gpo", seed=0, right=(right,))
    for number, name in enumerate(names):
        copy_run(tmp_path / str(4 + number % 2), tmp_path / name, optimize={"epochs": number + 1})
    html = compare_html({name: tmp_path / name for name in names})
    for size in ("wide", "narrow"):
        drawn = picture(html, size=size)
        lines = re.findall(r'<g class="(series[^"]*)" data-group', drawn)
        assert len(lines) == len(set(lines)) == 12
        places = sorted(float(y) for y in re.findall(r'class="name"[^>]*? y="([\d.]+)"', drawn))
        assert len(places) == 12
        assert min(b - a for a, b in pairwise(places)) > 14.8
        assert len(set(heights(drawn).values())) == 2  # equal curves lie over each other
    assert all(f">{i + 1} {name}<" in picture(html) for i, name in enumerate(names))


Score = Callable[..., Scored]


@pytest.fixture(scope="module")
def scored(several: dict[str, Path]) -> Score:
    """A run of that name whose best prompt has such values on held-out rows; keywords are keys of its configuration."""
    like = read_run(several["ours-0"])

    def make(name: str, values: dict[str, float], **config: object) -> Scored:
        run = replace(like, config={**like.config, **config}, best_prompt=f"Prompt of {name}.")
        return Scored(name, run, {"test": {(row, "Yes", "1"): value for row, value in values.items()}}, False)

    return make


def test_two_runs_are_compared_on_the_rows_of_both(scored: Score) -> None:
    # 30 rows of both: 12 go from wrong to right, 1 from right to wrong; each has rows of its own beside them.
    before = {f"q{i}": float(i >= 20) for i in range(30)} | {f"own{i}": 1.0 for i in range(5)}
    after = {f"q{i}": float(i >= 8) for i in range(30)} | {f"theirs{i}": 0.0 for i in range(9)}
    after["q29"] = 0.0
    pair = compare_pair(scored("A", before), scored("B", dict(reversed(after.items())), seed=9))
    assert pair.comparison == compare_counts(12, 1, 30)
    assert (pair.word, pair.higher, pair.lower) == ("Better", 12, 1)
    assert pair.sentence.startswith(
        "B is better than A: +36.7 points on 30 of 39 rows of the held-out test set (95 %"
    )
    assert pair.gain == "+36.7"
    assert pair.differing == [("seed", ["0", "9"])]
    assert ["".join(part.text for part in side) for side in pair.prompts[0][1:]] == [
        "Prompt of A.",
        "Prompt of B.",
    ]
    back = compare_pair(scored("B", after), scored("A", before))
    assert (back.word, back.gain) == ("Worse", "-36.7")
    assert back.comparison == turn(compare_counts(12, 1, 30))


def test_a_small_difference_is_not_shown_and_dev_decides_nothing(scored: Score) -> None:
    before = {f"q{i}": float(i > 4) for i in range(40)}
    after = {f"q{i}": float(i > 2) for i in range(40)}
    pair = compare_pair(scored("A", before), scored("B", after))
    assert pair.word == "Not shown"
    assert pair.sentence.startswith("Not shown that either is better: +5.0 points on 40 rows")
    good = {f"q{i}": 1.0 for i in range(40)}
    bad = {f"q{i}": 0.0 for i in range(40)}
    runs = [replace(item, rows={"dev": item.rows["test"]}) for item in (scored("A", bad), scored("B", good))]
    on_dev = compare_pair(runs[0], runs[1])
    assert on_dev.word == "Not tested"
    assert "only the held-out test set would show" in on_dev.sentence


def test_what_cannot_be_compared_says_why(scored: Score) -> None:
    one, other = scored("A", {"q": 1.0}), scored("B", {"r": 1.0})
    assert "no scored row in common" in compare_pair(one, other).sentence
    assert "whole split" in compare_pair(one, replace(one, split_level=True)).sentence
    assert other.run.result
    extra = {**other.run.result.extra, "reading": {"metric": "rouge_l"}}
    graded = replace(other.run, result=replace(other.run.result, extra=extra))
    found = compare_pair(one, replace(other, run=graded))
    assert (found.word, found.comparison) == ("Not comparable", None)
    assert "different metrics: exact match and rouge l" in found.sentence


def test_the_page_says_of_a_pair_what_both_journals_say(several: dict[str, Path]) -> None:
    names = ("ours-0", "other method")
    runs = [read_run(several[name]) for name in names]
    values = []
    for run in runs:
        with JournalReader(run.path / "journal.sqlite") as reader:
            values.append({s.example_id: s.value for s in reader.scores(prompt_id(run.best_prompt), "test")})
    rows = [row for row in values[0] if row in values[1]]
    gained = sum((values[1][row] or 0) > (values[0][row] or 0) for row in rows)
    lost = sum((values[1][row] or 0) < (values[0][row] or 0) for row in rows)
    assert len(rows) == 20
    ends = read_scored(names[0], runs[0]), read_scored(names[1], runs[1])
    assert compare_pair(*ends).comparison == compare_counts(gained, lost, 20)
    pairs = packed(compare_html(several), "pairs")
    assert len(pairs) == 5 * 4  # in both directions
    assert f"On {gained} rows the second scored higher, on {lost} lower" in pairs["1-5"]
    assert f"On {lost} rows the second scored higher, on {gained} lower" in pairs["5-1"]
    assert "method.trajectory" in pairs["1-5"]
    assert '<th scope="row">task' not in pairs["1-5"]


def test_ten_figures_are_the_same_in_the_result_on_the_screen_and_on_the_comparison(
    several: dict[str, Path],
) -> None:
    directory = several["ours-0"]
    found = json.loads((directory / "result.json").read_text(encoding="utf-8"))
    scores, gain, usage = found["scores"], found["improvement"], found["usage"]
    figures = [
        f"{100 * scores[name][split]:.1f}" for name in ("initial", "best") for split in ("dev", "test")
    ]
    figures += [f"{100 * gain[name]:+.1f}" for name in ("test", "ci_low", "ci_high")]
    figures += [
        f"p = {gain['p_value']:.2g}",
        *(f"{usage[role]['calls']:,} {role}" for role in ("task", "optimizer")),
    ]
    file = io.StringIO()
    show(Result.read(directory / "result.json"), Console(file=file, width=200))
    row = " | ".join(next(row for row in table(compare_html(several)) if row[1] == "ours-0"))
    assert len(figures) == 10
    for figure in figures:
        assert figure in file.getvalue(), figure
        assert figure in row, figure


def test_hostile_names_and_prompts_stay_texts(tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    for number in range(2):
        diary = Diary(tmp_path / str(number), f"{hostile} {number}")
        diary.journal.put_meta(
            "config", {**diary.journal.get_meta("config"), "method": hostile * (number + 1)}
        )
        diary.step([f"{hostile} more {number}"], right=3 + number)
        diary.close()
    html = compare_html({f"{hostile} {number}": tmp_path / str(number) for number in range(2)})
    for text in (html, *packed(html, "pairs").values()):
        assert not [tag for tag, _ in tags(text) if tag == "img"]
    assert sum(tag == "script" for tag, _ in tags(html)) == 2


def test_a_dropped_candidate_stands_below_the_scores_and_behind_them_in_the_lineage(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.step(["Best.", "Dropped."], right=3)
    diary.close()
    run = read_run(tmp_path / "run")
    first = run.steps[0]
    dropped = replace(first.candidates[1], score=None, estimate=1.0, estimate_rows=2)
    run = replace(run, steps=(replace(first, candidates=(first.candidates[0], dropped)),))
    picture = str(draw_scores(run))
    heights = {m[0]: float(m[1]) for m in re.findall(r'data-c="([^"]*)"[^>]*?cy="([\d.]+)"', picture)}
    heights |= {m[1]: float(m[0]) for m in re.findall(r'cy="([\d.]+)"[^>]*?data-c="([^"]*)"', picture)}
    assert heights["0.1"] > 226  # the bottom of the scores' axis
    places = re.findall(r'data-c="(0\.\d)"', str(tree(run)))
    assert places == ["0.0", "0.1"]
