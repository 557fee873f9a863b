"""Loading: every file form gives the same task, splits are drawn alike every time, and bad data is one clear line."""

from __future__ import annotations

import contextlib
import csv
import json
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpo.config.task import TaskConfig
from gpo.errors import ConfigError, DataError
from gpo.task.files.rows import read_file
from gpo.task.task import Task

Rows = list[dict[str, Any]]


def rows(n: int, start: int = 0) -> Rows:
    return [{"input": f'{k} + 1?\nsay, "it"', "target": str(k + 1)} for k in range(start, start + n)]


def write_jsonl(path: Path, data: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in data), "utf-8")


def write_json(path: Path, data: Rows) -> None:
    path.write_text(json.dumps(data), "utf-8")


def write_csv(path: Path, data: Rows) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(data[0]))
        writer.writeheader()
        writer.writerows(data)


def write_parquet(path: Path, data: Rows) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pyarrow.parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(data), path)


WRITERS: dict[str, Callable[[Path, Rows], None]] = {
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
    "parquet": write_parquet,
}


def load(data: Any, base_dir: Path = Path(), seed: int = 0, **keys: Any) -> Task:
    return Task.from_config(TaskConfig(data=data, **keys), seed=seed, base_dir=base_dir)


def inputs(task: Task) -> dict[str, list[str]]:
    return {
        name: [example.input for example in task.examples(name)]
        for name in ("train", "dev", "test", "format", "demos")
    }


@pytest.mark.parametrize("form", WRITERS)
def test_a_folder_of_split_files(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "sums"
    folder.mkdir()
    WRITERS[form](folder / f"train.{form}", rows(3))
    WRITERS[form](folder / f"validation.{form}", rows(12, 10))
    WRITERS[form](folder / f"test.{form}", rows(4, 50))
    task = load("sums", tmp_path)
    assert task.name == "sums"
    assert [len(task.examples(name)) for name in ("train", "dev", "test", "demos")] == [3, 12, 4, 0]
    assert task.splits.train[2].input == '2 + 1?\nsay, "it"'
    assert task.splits.train[2].id == "train:3"
    assert task.score("3", task.splits.train[2]) == 1.0
    assert task.warnings == ()


@pytest.mark.parametrize("form", WRITERS)
def test_one_file_is_divided_by_the_seed(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"sums.{form}"
    WRITERS[form](path, rows(60))
    counts = {"train": 10, "dev": 20, "test": 25, "demos": 2}
    first, again, other = (load(str(path), split=counts, seed=seed) for seed in (1, 1, 2))
    assert {name: len(found) for name, found in inputs(first).items()} == {**counts, "format": 0}
    assert inputs(first) == inputs(again) != inputs(other)
    everything = [text for found in inputs(first).values() for text in found]
    assert len(set(everything)) == len(everything)


def test_every_form_of_a_file_gives_the_same_task(tmp_path: Path) -> None:
    for form, write in WRITERS.items():
        write(tmp_path / f"sums.{form}", rows(40))
    found = [inputs(load(f"sums.{form}", tmp_path)) for form in WRITERS]
    assert found[1:] == found[:-1]
    assert [len(found[0][name]) for name in ("train", "dev", "test")] == [10, 10, 20]


def test_a_map_of_split_to_file_and_a_json_file_of_splits(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", rows(3))
    write_jsonl(tmp_path / "b.jsonl", rows(3, 10))
    write_json(tmp_path / "c.json", rows(3, 20))
    mapped = load({"train": "a.csv", "dev": "b.jsonl", "test": "c.json"}, tmp_path)
    (tmp_path / "all.json").write_text(
        json.dumps({"train": rows(3), "eval": rows(3, 10), "test": rows(3, 20)}), "utf-8"
    )
    assert inputs(mapped) == inputs(load("all.json", tmp_path))
    (tmp_path / "rows.json").write_text(json.dumps({"rows": rows(40)}), "utf-8")
    assert len(load("rows.json", tmp_path).splits.test) == 20


def test_splits_that_exist_can_be_cut_and_keep_their_order(tmp_path: Path) -> None:
    for name, start in (("train", 0), ("dev", 100), ("test", 200)):
        write_jsonl(tmp_path / f"{name}.jsonl", rows(30, start))
    whole, cut = load(str(tmp_path)), load(str(tmp_path), split={"dev": 12})
    assert len(cut.splits.train) == 30
    kept = inputs(cut)["dev"]
    assert len(kept) == 12
    assert kept == [text for text in inputs(whole)["dev"] if text in kept]
    with pytest.raises(ConfigError, match=r"task\.split\.dev: asks for 31 rows, but there are 30"):
        load(str(tmp_path), split={"dev": 31})
    with pytest.raises(ConfigError, match=r"task\.split\.demos: .* has no demos split"):
        load(str(tmp_path), split={"demos": 1})


def test_python_constructors_read_the_same(tmp_path: Path) -> None:
    write_csv(tmp_path / "sums.csv", rows(40))
    write_jsonl(tmp_path / "sums.jsonl", rows(40))
    expected = inputs(load(str(tmp_path / "sums.csv"), seed=5))
    assert inputs(Task.from_csv(tmp_path / "sums.csv", seed=5)) == expected
    assert inputs(Task.from_jsonl(str(tmp_path / "sums.jsonl"), seed=5)) == expected
    assert inputs(Task.from_rows(rows(40), seed=5)) == expected
    with pytest.raises(
        ConfigError, match=r"gpo\.Task\.from_rows: 'positon' is not one of its options; did you mean position"
    ):
        Task.from_rows(rows(40), positon="system")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match=r"task\.position: "):
        Task.from_rows(rows(40), position="middle")  # type: ignore[arg-type]


def test_a_list_in_a_template_becomes_options() -> None:
    data = [{"q": f"Q{k}?", "choices": ["red", "blue"], "answer": "B"} for k in range(40)]
    options: dict[str, Any] = {"input": "{q}\n{choices}", "target": "answer"}
    lettered = Task.from_rows(data, answer="choice", **options).splits.dev[0]
    assert lettered.input.endswith("?\n(A) red\n(B) blue")
    assert Task.from_rows(data, **options).splits.dev[0].input.endswith("?\n- red\n- blue")
    labelled = [{**row, "choices": {"text": ["red", "blue"], "label": ["1", "2"]}} for row in data]
    assert Task.from_rows(labelled, **options).splits.dev[0].input.endswith("?\n(1) red\n(2) blue")


def test_targets_of_all_sorts() -> None:
    data: dict[str, Rows] = {
        "train": [{"input": "a", "target": ["one way", "another way"]}],
        "dev": [{"input": "b", "target": True}],
        "test": [{"input": "c", "target": 2.5}],
    }
    task = Task.from_rows(data)
    train, dev, test = task.splits.train[0], task.splits.dev[0], task.splits.test[0]
    assert train.target == ("one way", "another way")
    assert task.score("Another way.", train) == 1.0
    assert task.target_text(train) == "one way"
    assert task.score("true", dev) == 1.0
    assert task.score("2.5", test) == 1.0
    words = Task.from_rows(
        {name: [{"input": name, "target": ["pear", "zoo"]}] for name in data}, answer="words"
    )
    assert words.score("pear, zoo", words.splits.dev[0]) == 1.0
    assert words.score("zoo", words.splits.dev[0]) == 0.0


def test_ids_of_the_data_are_kept_where_they_are_unique() -> None:
    named = [{**row, "id": f"row-{n}"} for n, row in enumerate(rows(40))]
    assert {example.id for example in Task.from_rows(named).splits.test} <= {f"row-{n}" for n in range(40)}
    same = [{**row, "id": "x"} for row in rows(40)]
    assert Task.from_rows(same).splits.test[0].id == "test:1"


def test_rows_that_repeat_an_input_are_left_out_before_drawing() -> None:
    task = Task.from_rows([*rows(40), *rows(4)])
    assert task.warnings[0] == "4 rows repeat the input of an earlier row and were left out"
    assert sum(len(found) for found in inputs(task).values()) == 40


@pytest.mark.parametrize("of", ["train", "dev", "format", "test"])
def test_test_rows_that_repeat_others_change_no_other_split(of: str) -> None:
    counts = {"train": 8, "dev": 10, "test": 6, "format": 4}
    plain = [*rows(40), *rows(3)]
    before = Task.from_rows(plain, split=counts)
    changed = list(plain)
    source = plain[int(getattr(before.splits, of)[0].source.split()[-1]) - 1]
    for example in before.splits.test:
        changed[int(example.source.split()[-1]) - 1] = source
    after = Task.from_rows(changed, split=counts)
    assert {name: len(found) for name, found in inputs(after).items()} == {**counts, "demos": 0}
    for name in ("train", "dev", "format"):
        assert inputs(after)[name] == inputs(before)[name]
    everything = [text for found in inputs(after).values() for text in found]
    assert len(set(everything)) == len(everything)


def test_a_small_dev_split_is_a_warning() -> None:
    task = Task.from_rows({"train": rows(3), "dev": rows(3, 10), "test": rows(3, 20)})
    assert len(task.warnings) == 1
    assert "dev split has 3 rows" in task.warnings[0]


def test_own_answer_objects() -> None:
    def last_word(reply: str) -> str | None:
        return reply.split()[-1] if reply.split() else None

    task = Task.from_rows(rows(40), answer=last_word)
    example = task.splits.dev[0]
    assert task.score(f"I say {example.target}", example) == 1.0
    assert task.judge("", example).prediction is None
    with pytest.raises(ConfigError, match="answer: must be a kind"):
        Task.from_rows(rows(40), answer=3)  # type: ignore[arg-type]


def test_unreadable_is_told_from_wrong() -> None:
    task = Task.from_rows(rows(40), answer="number")
    example = task.splits.dev[0]
    unreadable, wrong = task.judge("no idea", example), task.judge("-1", example)
    assert (unreadable.prediction, unreadable.value) == (None, 0.0)
    assert (wrong.prediction, wrong.value) == (-1.0, 0.0)
    assert task.read("about 7") == 7.0


def split_files(folder: Path, train: str) -> str:
    (folder / "train.jsonl").write_text(train, "utf-8")
    write_jsonl(folder / "dev.jsonl", rows(12, 100))
    write_jsonl(folder / "test.jsonl", rows(12, 200))
    return str(folder)


GOOD = '{"input": "a", "target": "1"}\n'
BAD_LINES: dict[str, tuple[str, str, Mapping[str, Any]]] = {
    "not json": (GOOD + "\n{'a'}\n", r"train\.jsonl:3: is not JSON", {}),
    "not an object": (GOOD + '["a"]\n', r"train\.jsonl:2: is list; a row must be an object", {}),
    "too deep": ("[" * 100_000 + "\n", r"train\.jsonl:1: is nested too deeply", {}),
    "no target": (
        '{"input": "a"}',
        r"task\.target: .*train\.jsonl:1 has no column 'target'; it has: input",
        {},
    ),
    "no input": (
        GOOD,
        r"task\.input: .*train\.jsonl:1 has no column 'q'; it has: input, target",
        {"input": "Q {q}"},
    ),
    "null target": ('{"input": "a", "target": null}', r"train\.jsonl:1: the target is empty", {}),
    "empty input": ('{"input": " ", "target": "1"}', r"train\.jsonl:1: the input is empty", {}),
    "no rows": ("\n", r"task\.data: the train split is empty", {}),
    "unknown label": (
        GOOD,
        r'train\.jsonl:1: the target "1" is none of the labels "red", "blue"',
        {"answer": {"kind": "label", "labels": ["red", "blue"]}},
    ),
    "no number": (
        '{"input": "a", "target": "x"}',
        r'train\.jsonl:1: the target "x" is not a number',
        {"answer": {"kind": "number"}},
    ),
    "no choice": (
        '{"input": "a", "target": "xy"}',
        r'train\.jsonl:1: the target "xy" is not a letter',
        {"answer": {"kind": "choice"}},
    ),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_row_is_one_line_that_names_it(case: str, tmp_path: Path) -> None:
    text, message, keys = BAD_LINES[case]
    with pytest.raises(ConfigError, match=message) as caught:
        load(split_files(tmp_path, text), **keys)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('input,target\n"a\nb",1\nc\n', r"x\.csv:4: has 1 cells where the header has 2"),
        ('input,target\na,1\n"b,2\n', r"x\.csv:3: cannot be read"),
        ("input,input\na,1\n", r"x\.csv:1: has two columns called 'input'"),
    ],
)
def test_a_bad_csv_row_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        load("x.csv", tmp_path)


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    for name in ("x.csv", "x.jsonl", "x.json"):
        (tmp_path / name).write_bytes(b'{"input":\n "\xff"}')
        with pytest.raises(DataError, match=rf"{name}:\d"):
            load(name, tmp_path)
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match="is not a readable parquet file"):
        load("x.parquet", tmp_path)


def test_missing_things_are_named_with_the_way_out(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", rows(3))
    (tmp_path / "empty").mkdir()
    cases: list[tuple[Any, str]] = [
        ("nowhere.jsonl", "no file or folder .*nowhere.jsonl"),
        ("empty", "holds no split files"),
        (".", "the dev split is missing"),
        ({"train": "train.jsonl", "dev": "dev.jsonl"}, r"dev\.jsonl: no such file"),
        ("bbh/navigat", "no benchmark is called 'bbh/navigat'; did you mean bbh/navigate?"),
        ("hf:gsm8k", "'hf:gsm8k' is not an address on the Hugging Face hub; write hf:org/name"),
    ]
    for data, message in cases:
        with pytest.raises(ConfigError, match=message):
            load(data, tmp_path)
    with pytest.raises(ConfigError, match=r"task\.split: asks for 9 rows, but train has 3 different ones"):
        load("train.jsonl", tmp_path, split={"train": 3, "dev": 3, "test": 3})


def test_two_files_for_one_split_are_refused(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "dev.jsonl", rows(3))
    write_csv(tmp_path / "eval.csv", rows(3))
    with pytest.raises(ConfigError, match=r"both dev\.jsonl and eval\.csv hold the dev split"):
        load(str(tmp_path))


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (sys.exit, (1,))


def test_pickles_and_scripts_are_refused_unopened(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(Trap()))
    (tmp_path / "x.py").write_text("raise SystemExit(1)")
    for name in ("x.pkl", "x.py"):
        with pytest.raises(ConfigError, match=r"cannot be read as data; use \.jsonl, \.csv"):
            load(name, tmp_path)


def test_test_rows_that_stand_in_train_are_refused_unless_allowed(tmp_path: Path) -> None:
    folder = split_files(tmp_path, json.dumps({"input": '203  +\n1? say, "it"', "target": "204"}))
    with pytest.raises(
        ConfigError, match=r"test\.jsonl:4 has the same input as .*train\.jsonl:1; take it out, or set task"
    ):
        load(folder)
    assert len(load(folder, allow_overlap=True).splits.test) == 12


def test_hostile_text_is_carried_and_what_no_wire_carries_is_replaced() -> None:
    ugly = "nul \x00 surrogate \ud800 escape \x1b[31m %s {0} {target}"
    data = [{"input": f"{n} {ugly}", "target": ugly} for n in range(40)]
    task = Task.from_rows(data)
    example = task.splits.dev[0]
    assert "nul  surrogate \ufffd escape \x1b[31m %s {0} {target}" in example.input
    task.filled("{input}", example).encode("utf-8")
    assert task.score(task.target_text(example), example) == 1.0


def test_a_huge_line_is_read(tmp_path: Path) -> None:
    data = [{"input": f"{n}" + "x" * 400_000, "target": "1"} for n in range(8)]
    write_csv(tmp_path / "big.csv", data)
    before = csv.field_size_limit()
    assert len(load("big.csv", tmp_path).splits.test[0].input) > 400_000
    assert csv.field_size_limit() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.binary(max_size=200) | st.text('{}[]":,\n\r\\"aintpu1\x00', max_size=80).map(str.encode),
    st.sampled_from(["csv", "json", "jsonl", "tsv"]),
)
def test_no_file_breaks_the_reader(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"any.{suffix}"
    path.write_bytes(data)
    # Only our own errors may come out.
    with contextlib.suppress(ConfigError):
        read_file(path)


@given(st.integers(0, 5), st.permutations(range(24)))
def test_a_drawn_split_is_a_partition(seed: int, order: list[int]) -> None:
    found = inputs(Task.from_rows([rows(1, k)[0] for k in order], seed=seed))
    everything = [text for texts in found.values() for text in texts]
    assert sorted(everything) == sorted(row["input"] for row in rows(24))
