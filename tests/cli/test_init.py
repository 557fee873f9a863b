"""`gpo init FILE`: what it sees in a file, what it asks, and that its configuration runs as it is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gpo import extras
from gpo.cli.main import app
from gpo.config.load import load_config
from gpo.errors import ConfigError, DataError, GPOError
from gpo.model.local.catalog import CATALOG
from gpo.task.task import Task
from tests.support.server import ModelServer
from tests.support.tables import Table, TableModel, numbers, summaries, tickets, write_csv

MODEL = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")


def run(*arguments: str | Path) -> str:
    """stdout of a command that ends well. Raises the `GPOError` that would be its one line."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, GPOError):
        raise done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    return tmp_path


def written(folder: Path = Path()) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((folder / "gpo.yaml").read_text())
    return data


def test_a_table_of_labels(here: Path) -> None:
    write_csv(here / "tickets.csv", tickets(240))
    said = run("init", "tickets.csv", "--yes", *MODEL)
    task = written()["task"]
    assert (task["data"], task["input"], task["target"]) == ("tickets.csv", "message", "queue")
    assert task["answer"] == {
        "kind": "label",
        "labels": ["account", "delivery", "feedback", "payment", "product", "refund"],
    }
    assert task["metric"] == "exact_match"
    assert task["split"] == {"train": 0.2, "dev": 0.3, "test": 0.5}
    loaded = load_config(Path("gpo.yaml"))
    built = Task.from_config(loaded.task, seed=0)
    assert [len(built.examples(split)) for split in ("train", "dev", "test")] == [48, 72, 120]
    assert "train 48, dev 72, test 120" in said
    # As `gpo power --rows 120` and `gpo power --gain 5` reckon.
    assert "120 test rows show a gain of 13 points" in said
    assert "for 5 points it takes 658" in said
    assert loaded.models.task.model == loaded.models.optimizer.model == "m"
    first = Path("gpo.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=gpo.schema.json"
    assert json.loads(Path("gpo.schema.json").read_text())["properties"]["task"]


KINDS: list[tuple[str, Table, dict[str, Any]]] = [
    ("number", numbers(60), {"input": "question", "target": "answer", "metric": "exact_match"}),
    ("text", summaries(60), {"input": "text", "target": "summary", "metric": "rouge_l"}),
    (
        "boolean",
        [{"claim": f"{n} is an even number", "label": "yes" if n % 2 == 0 else "No"} for n in range(60)],
        {"input": "claim"},
    ),
    (
        "choice",
        [
            {"question": f"Which is {n}? (A) {n} (B) {n + 1}", "answer": "A" if n % 3 else "B"}
            for n in range(60)
        ],
        {"input": "question"},
    ),
    (
        "label",
        [{"review": f"it was film {n}", "stars": str(n % 5 + 1)} for n in range(60)],
        {"target": "stars"},
    ),
    (
        "label",
        [{"subject": f"s {n}", "body": f"b {n}", "queue": "ab"[n % 2]} for n in range(60)],
        {"input": "{subject}\n{body}"},
    ),
    (
        "text",
        [{"prompt": f"capital {n}", "target": f"town {n}"} for n in range(60)],
        {"metric": "exact_match"},
    ),
]


@pytest.mark.parametrize(
    ("kind", "rows", "keys"), KINDS, ids=[f"{k}{n}" for n, (k, _, _) in enumerate(KINDS)]
)
def test_every_kind_of_answer(here: Path, kind: str, rows: Table, keys: dict[str, Any]) -> None:
    write_csv(here / "rows.csv", rows)
    run("init", "rows.csv", "--yes", *MODEL)
    task = written()["task"]
    assert task["answer"]["kind"] == kind
    assert {key: task[key] for key in keys} == keys


@pytest.mark.parametrize(
    "suffix", ["semicolon", "tab", "tsv", "jsonl", "json", "parquet", "splits", "folder"]
)
def test_every_form_of_file(here: Path, suffix: str) -> None:
    rows = tickets(60)
    name = f"rows.{suffix}" if suffix in ("tsv", "jsonl", "json", "parquet") else "rows.csv"
    if suffix in ("semicolon", "tab", "tsv"):
        write_csv(here / name, rows, ";" if suffix == "semicolon" else "\t")
    elif suffix == "jsonl":
        (here / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif suffix == "json":
        (here / name).write_text(json.dumps(rows))
    elif suffix == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), here / name)
    else:
        parts = {"train": rows[:20], "dev": rows[20:40], "test": rows[40:]}
        name = "rows.json" if suffix == "splits" else "parts"
        if suffix == "splits":
            (here / name).write_text(json.dumps(parts))
        else:
            (here / name).mkdir()
            for part, some in parts.items():
                write_csv(here / name / f"{part}.csv", some)
    run("init", name, "--yes", "--out", "new/place", *MODEL)
    task = written(Path("new/place"))["task"]
    assert task["data"] == f"../../{name}"
    assert ("split" in task) is (suffix not in ("splits", "folder"))
    loaded = load_config(Path("new/place/gpo.yaml"))
    assert len(Task.from_config(loaded.task, seed=0, base_dir=Path("new/place")).splits.test) in (20, 30)


def test_a_large_file_gives_counts(here: Path) -> None:
    rows = [{"text": f"row {n}", "label": "ab"[n % 2]} for n in range(5000)]
    write_csv(here / "rows.csv", rows)
    run("init", "rows.csv", "--yes", *MODEL)
    task = written()["task"]
    assert task["split"] == {"train": 60, "dev": 90, "test": 500}
    assert task["stratify"] is True


def test_flags_answer_beforehand(here: Path) -> None:
    write_csv(here / "rows.csv", [{"a": f"x {n}", "b": f"y {n}", "c": str(n)} for n in range(40)])
    flags = ("--target", "c", "--input", "{a} / {b}", "--optimizer-model", "big", "--api-key-env", "MY_KEY")
    run("init", "rows.csv", *flags, *MODEL)
    data = written()
    assert (data["task"]["input"], data["task"]["target"]) == ("{a} / {b}", "c")
    address = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "MY_KEY"}
    assert data["models"] == {"task": {"model": "m", **address}, "optimizer": {"model": "big", **address}}


WRONG: list[tuple[Table, tuple[str, ...], str]] = [
    ([{"a": f"one two {n}", "b": f"x y {n}"} for n in range(40)], (), "--target: no column is called like"),
    (
        [{"label": "ab"[n % 2], "target": str(n), "text": "x"} for n in range(40)],
        (),
        r"--target: more than one column may hold the right answer; name it \(the columns are label, target\)",
    ),
    (
        [{"text": f"x {n}", "message": f"y {n}", "label": "ab"[n % 2]} for n in range(40)],
        (),
        r"--input: more than one .* \(the columns are text, message\)",
    ),
    (
        tickets(40),
        ("--target", "Queue"),
        "--target 'Queue': there is no such column; the columns are message",
    ),
    (tickets(40), ("--input", "{mesage}"), "--input '{mesage}': there is no column 'mesage'"),
    (tickets(40), ("--base-url", "http://x/v1"), "--model: name the model at --base-url"),
    (tickets(40), ("--model", "gpt-4o"), "--model 'gpt-4o': is not known; write openai/NAME"),
    ([*tickets(40), {"message": "x", "queue": " "}], (), r"rows\.csv:42: the target is empty"),
    ([*tickets(40), {"message": "", "queue": "refund"}], (), r"rows\.csv:42: the input is empty"),
]


@pytest.mark.parametrize(("rows", "flags", "line"), WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_decided_is_one_line(
    here: Path, rows: Table, flags: tuple[str, ...], line: str
) -> None:
    write_csv(here / "rows.csv", rows)
    with pytest.raises((ConfigError, DataError), match=line) as caught:
        run("init", "rows.csv", "--yes", *flags)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in here.iterdir()) == ["rows.csv"]


def test_a_file_that_is_not_there_and_one_that_is(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.csv: no such file"):
        run("init", "gone.csv", "--yes", *MODEL)
    with pytest.raises(ConfigError, match="--target: goes with a data file"):
        run("init", "folder", "--target", "x")
    write_csv(here / "rows.csv", tickets(40))
    run("init", "rows.csv", "--yes", *MODEL)
    before = Path("gpo.yaml").read_bytes()
    with pytest.raises(ConfigError, match=r"gpo\.yaml is there already; move it away, or .*--out DIR"):
        run("init", "rows.csv", "--yes", *MODEL)
    assert Path("gpo.yaml").read_bytes() == before


def test_without_a_file_it_writes_the_example_also_beside_split_files(here: Path) -> None:
    for part in ("train", "dev", "test"):
        write_csv(here / f"{part}.csv", tickets(20))
    run("init")
    assert written()["task"]["data"] == "tickets.jsonl"
    with pytest.raises(ConfigError, match=r"gpo\.yaml is there already"):
        run("init", ".", "--yes", *MODEL)


def test_cells_and_names_that_mean_something_to_yaml(here: Path) -> None:
    odd = ["yes: [no]", "#1 & more", "null", "1.0", "ünï ☃", "it's", '"q"', "{x}", "no"]
    rows = [{"te:xt #": f"row {n}", "la bel": odd[n % len(odd)]} for n in range(90)]
    write_csv(here / "ro: ws #1.csv", rows)
    run("init", "ro: ws #1.csv", "--input", "te:xt #", "--target", "la bel", "--yes", *MODEL)
    config = load_config(Path("gpo.yaml"))
    assert (config.task.data, config.task.input, config.task.target) == ("ro: ws #1.csv", "te:xt #", "la bel")
    assert sorted(config.task.answer.labels) == sorted(odd)


def test_on_a_terminal_it_asks_what_it_cannot_see(here: Path) -> None:
    write_csv(here / "rows.csv", [{"a": f"one two {n}", "b": f"x y {n}"} for n in range(40)])
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from gpo.cli.main import main; main()", "init", "rows.csv"]
    done = subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, cwd=here)
    os.close(theirs)
    # A wrong name is asked for again; the input is what is left; the model is offered.
    os.write(ours, b"zz\nb\n\n")
    out, _ = done.communicate(timeout=100)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0, (out, said)
    assert "there is no such column" in said
    assert said.count("Column of the right answer") == 2
    data = written()
    assert (data["task"]["input"], data["task"]["target"]) == ("a", "b")
    assert data["models"]["task"]["model"] == "local/qwen2.5-coder-1.5b"


def test_what_the_first_run_fetches_is_said_beforehand(here: Path) -> None:
    write_csv(here / "rows.csv", tickets(40))
    said = run("init", "rows.csv", "--yes")
    assert "local/qwen2.5-coder-1.5b on its first run: 1.1 GB, once" in said
    assert "--model NAME --base-url URL" in said
    assert "1.1 GB" in run("init", "example")
    said = run(
        "init",
        "rows.csv",
        "--yes",
        "--model",
        "local/smollm2-135m",
        "--optimizer-model",
        "openai/x",
        "--out",
        "a",
    )
    assert "local/smollm2-135m on its first run: 98 MB" in said
    assert "GB" not in said
    assert "fetches" not in run("init", "rows.csv", "--yes", "--out", "b", *MODEL)
    with pytest.raises(ConfigError, match="no registered weights are called 'nope'"):
        run("init", "rows.csv", "--yes", "--model", "local/nope", "--out", "c")
    assert not (here / "c").exists()


def test_weights_that_are_here_are_not_announced(here: Path) -> None:
    weights = CATALOG["smollm2-135m"]
    (here / "home" / "weights").mkdir(parents=True)
    with (here / "home" / "weights" / weights.file_name).open("wb") as file:
        file.truncate(weights.size)  # a file of holes
    write_csv(here / "rows.csv", tickets(40))
    assert "fetches" not in run("init", "rows.csv", "--yes", "--model", "local/smollm2-135m")


def test_a_light_installation_gets_a_method_that_runs(
    here: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = extras.is_installed
    for module in ("gpo.extras", "gpo.cli.shared.needs"):
        monkeypatch.setattr(
            f"{module}.is_installed", lambda name: name not in ("fastembed", "xllamacpp") and there(name)
        )
    result = optimized(here, server, "tickets", 60)
    assert result["status"] == "complete"
    assert written()["method"] == {"trajectory": "recency"}
    write_csv(here / "rows.csv", tickets(40))
    said = run("init", "rows.csv", "--yes", "--out", "a")
    assert 'pip install "gpo-prompts[embed]"' in said
    assert 'pip install "gpo-prompts[local]"' in said
    run("init", "example")
    assert written(Path("example"))["method"] == {"trajectory": "recency"}


def test_a_template_as_a_shell_hands_it_on(here: Path) -> None:
    write_csv(
        here / "rows.csv",
        [{"Titel": f"a b {n}", "Bewertung": f"c d {n}", "Urteil": "xy"[n % 2]} for n in range(40)],
    )
    with pytest.raises(
        ConfigError, match=r"several go as a template, such as \"\{Titel\}\\n\{Bewertung\}\""
    ) as caught:
        run("init", "rows.csv", "--yes", *MODEL)
    template = str(caught.value).split('"')[1]
    assert "{Titel} ⏎ {Bewertung}" in run("init", "rows.csv", "--yes", "--input", template, *MODEL)
    assert written()["task"]["input"] == "{Titel}\n{Bewertung}"


MAKERS: dict[str, tuple[Callable[[int], Table], str, str, str]] = {
    "tickets": (tickets, ",", "message", "queue"),
    "numbers": (numbers, ",", "question", "answer"),
    "free text": (summaries, ",", "text", "summary"),
    "semicolons": (tickets, ";", "message", "queue"),
}


def optimized(here: Path, server: ModelServer, name: str, rows: int, *more: str) -> dict[str, Any]:
    make, delimiter, question, answer = MAKERS[name]
    table = make(rows)
    server.answer = TableModel(table, question, answer).answer
    write_csv(here / "mine.csv", table, delimiter)
    run("init", "mine.csv", "--yes", "--model", "m", "--base-url", server.base_url)
    result: dict[str, Any] = json.loads(run("optimize", "--json", *more))
    return result


@pytest.mark.parametrize("name", MAKERS)
def test_a_better_prompt_in_two_commands(here: Path, server: ModelServer, name: str) -> None:
    # Without the embedding model, which takes longer to load than the run.
    result = optimized(here, server, name, 60, "--set", "method={trajectory: recency}")
    assert result["status"] == "complete"
    assert len(result["steps"]) == 6
    assert result["scores"]["best"]["dev"] > result["scores"]["initial"]["dev"]
    assert result["usage"]["task"]["calls"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_the_same_with_240_rows(here: Path, server: ModelServer, name: str) -> None:
    result = optimized(here, server, name, 240)
    assert result["status"] == "complete"
    assert result["scores"]["best"]["dev"] > result["scores"]["initial"]["dev"]
