"""A prompt handed on by the command line, its checks for CI, and the last screen into a pipe."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from gpo.errors import RunError
from gpo.export.material import read_material
from tests.cli.gpo import gpo
from tests.support.landscape import Landscape
from tests.support.runs import config, write_task
from tests.support.server import ModelServer

LANDSCAPE = Landscape()
LONG = "Read all of it, then look {closely} at every word " * 8


def prepare(server: ModelServer, folder: Path, prompt: str = "amber anchor") -> Path:
    """A configuration that only evaluates, and the folder of its run."""
    server.answer = LANDSCAPE.answer
    settings = config(
        server, write_task(folder / "data", LANDSCAPE), prompt=prompt, method={"trajectory": "none"}
    )
    settings["optimize"] = {"epochs": 1, "batch_size": 16, "candidates": 1, "resamples": 0}
    (folder / "gpo.yaml").write_text(yaml.safe_dump(settings))
    return folder / "runs" / "gpo"


def test_every_format_goes_to_stdout_or_a_file_and_is_the_same(server: ModelServer, tmp_path: Path) -> None:
    run = prepare(server, tmp_path, LONG)
    screen = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert screen.returncode == 0, screen.stderr
    best = (run / "best_prompt.txt").read_text()
    for name in ("text", "promptfoo"):
        done = gpo("export", run, "--to", name, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        written = gpo("export", run, "--to", name, "--out", "out.txt", cwd=tmp_path)
        assert (written.returncode, written.stdout) == (0, "")
        assert (tmp_path / "out.txt").read_text() == done.stdout
    text = gpo("export", run, "--to", "text", cwd=tmp_path).stdout
    assert text == f"{{input}}\n{best.strip()}\n"
    # The screen in a pipe: the best prompt in one line and first, nothing padded, and where everything is.
    lines = screen.stdout.splitlines()
    assert lines[:2] == ["best prompt", best]
    assert lines.index("what changed") > 2
    assert all(line == line.rstrip() for line in lines[2:])
    for name in ("report.html", "best_prompt.txt", "best_template.json", "result.json"):
        assert f"{Path('runs') / 'gpo' / name}" in screen.stderr
    report = gpo("report", run, "--text", cwd=tmp_path).stdout
    assert report.splitlines()[:2] == ["best prompt", best]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    folder = tmp_path_factory.mktemp("finished")
    with ModelServer() as server:
        run = prepare(server, folder)
        assert gpo("optimize", "gpo.yaml", cwd=folder).returncode == 0
    return run


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("missing", "has no result.json; run gpo optimize"),
        ("old", "is of an older GPO and has no template"),
        ("template", "`template` is no template"),
        ("role", "`template` is no template"),
        ("reading", "`reading` says nothing of how answers are read"),
        ("config", "is no configuration of GPO"),
    ],
)
def test_what_cannot_be_exported_is_one_line(spoil: str, words: str, finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    data = json.loads((run / "result.json").read_text())
    match spoil:
        case "missing":
            data = None
            (run / "result.json").unlink()
        case "old":
            del data["template"]
        case "template":
            data["template"]["messages"] = [{"content": 3}]
        case "role":
            data["template"]["messages"][0]["role"] = "'); import os"
        case "reading":
            data["reading"] = {"kind": ["x"]}
        case "config":
            (run / "config.yaml").write_text("- {")
    if data is not None:
        (run / "result.json").write_text(json.dumps(data))
    with pytest.raises(RunError, match=words) as caught:
        read_material(run)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_format_names_the_known_ones(finished: Path) -> None:
    done = gpo("export", finished, "--to", "openai", cwd=finished.parent)
    assert done.returncode == 2
    assert "text, json, messages, promptfoo, inspect, dspy, langchain" in done.stderr


def by_prompt(body: dict[str, object]) -> str:
    """Right wherever the prompt is the good one; the other one is right on half of the rows."""
    text = str(body["messages"])
    right = next(row["target"] for row in LANDSCAPE.rows(48) if row["input"] in text)
    wrong = "left" if right == "right" else "right"
    return right if "good" in text or ("fair" in text and len(text) % 2) else wrong


def test_checks_for_ci(server: ModelServer, tmp_path: Path) -> None:
    prepare(server, tmp_path)
    server.answer = by_prompt

    def check(prompt: str, *options: str) -> tuple[int, str, str]:
        done = gpo("evaluate", "gpo.yaml", "--prompt", prompt, *options, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr.splitlines()[-1] if done.stderr else ""

    code, out, _ = check("good", "--fail-under", "1", "--not-worse-than", "bad")
    assert (code, "better than the other prompt: +100.0 points over 20 rows" in out) == (0, True)
    code, out, line = check("bad", "--fail-under", "0.8")
    assert (code, out.startswith("test: 0.0")) == (1, True)
    assert line == "gpo: --fail-under: the score on test is 0, under 0.8"
    (tmp_path / "other.txt").write_text("good\n")
    code, out, line = check("bad", "--not-worse-than", "@other.txt", "--json")
    assert (code, json.loads(out)["difference"]["verdict"]) == (1, "worse")
    assert line.startswith(
        "gpo: --not-worse-than: the prompt is worse, -100.0 points over 20 rows (95 % interval"
    )
    code, _, line = check("bad", "--fail-under", "80")
    assert (code, line) == (2, "gpo: --fail-under 80: scores are from 0 to 1, such as 0.8")


def test_a_loss_within_noise_is_not_worse(server: ModelServer, tmp_path: Path) -> None:
    prepare(server, tmp_path)
    rows = LANDSCAPE.rows(20, 28)

    def nearly(body: dict[str, object]) -> str:
        text = str(body["messages"])
        row = next(row for row in rows if row["input"] in text)
        wrong = "left" if row["target"] == "right" else "right"
        return str(wrong if "worn" in text and row in rows[:2] else row["target"])

    server.answer = nearly
    done = gpo("evaluate", "gpo.yaml", "--prompt", "worn", "--not-worse-than", "new", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "-10.0 points over 20 rows" in done.stdout
