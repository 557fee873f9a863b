"""Runs of several prompts: page, terminal and comparison name the prompt that changed, and show each one by itself."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import gpo
from gpo.report.comparison.compare import compare_html
from gpo.report.data import read_run
from gpo.report.details import collect_details
from gpo.report.page import write_report
from gpo.report.terminal import show, show_run
from gpo.result.notebook import render_result
from gpo.result.part_changes import changed_parts, match_parts
from gpo.storage.journal_reader import JournalReader
from gpo.task.program.parts import join_parts, read_parts, show_parts
from tests.programs.support import PROMPTS, answer, optimize
from tests.support.server import ModelServer

MARK = "Part rewrite"


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two prompts in two steps."""
    folder = tmp_path_factory.mktemp("parts") / "run"
    with ModelServer(answer=answer) as server:
        optimize(server.base_url, folder)
    return folder


def shown(draw: object, thing: object) -> str:
    console = Console(file=StringIO(), width=200)
    draw(thing, console)  # type: ignore[operator]
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_names_are_read_from_joined_prompts_alone() -> None:
    parts = {"a": "x\n", "b.c[0]": ""}
    assert read_parts(join_parts(parts)) == parts
    assert show_parts(join_parts({"a": "x", "b": "y"})) == "a:\nx\n\nb:\ny"
    for prompt in ("x", join_parts({"a": "x"}), f"{join_parts(parts)} and more", f"\n{join_parts(parts)}"):
        assert read_parts(prompt) == {}
        assert show_parts(prompt) == prompt


def test_changes_are_told_prompt_by_prompt() -> None:
    before, after = (join_parts({"a": text, "b": "same words"}) for text in ("old words", "new words"))
    assert [(one.name, one.changed) for one in match_parts(before, after)] == [("a", True), ("b", False)]
    (change,) = changed_parts(before, after)
    told = [(piece.kind, piece.text.strip()) for piece in change.pieces()]
    assert told == [("removed", "old"), ("added", "new"), ("same", "words")]
    assert [one.name for one in changed_parts(before, before)] == ["a", "b"]
    assert [one.name for one in match_parts(before, "one prompt")] == [""]


def test_the_page_has_each_prompt_by_its_name(run_dir: Path) -> None:
    page = write_report(run_dir, run_dir / "page.html").read_text()
    run = read_run(run_dir)
    html = page[page.index("<main") : page.index("<script")]
    for name, text in read_parts(run.best_prompt).items():
        assert re.search(
            rf'<div class="bar"><h3>{name}.*?Copy {name}.*?{re.escape(text)}</div>', html, re.DOTALL
        )
    assert MARK not in html
    way = html[html.index("The winning path") : html.index("Edit distances")]
    assert set(re.findall(r"<h4>(\w+)</h4>", way)) <= PROMPTS.keys()
    assert way.count("<h4>") == way.count("<li><div><b>Step") > 0
    assert html.count("<td>rewrite</td>") == html.count("<td>answer</td>") == 1  # the curve as a table
    with JournalReader(run_dir / "journal.sqlite") as reader:
        steps = collect_details(run, reader)["steps"]
    assert [step["part"] for step in steps] == ["rewrite", "answer"]
    for step in steps:
        for item in (item for item in step["candidates"] if not item["rejected"]):
            assert item["part"] == step["part"]
            said = "".join(text for kind, text in item["diff"] if kind != "-")
            assert said == re.sub(r"<START>|<END>", "", item["raw"])


def test_terminal_and_notebook_show_names_and_no_marks(run_dir: Path) -> None:
    result = gpo.Result.read(run_dir / "result.json")
    text = shown(show, result)
    for name, best in result.best_prompts.items():
        assert f"{name}:\n{best}\n" in text
        assert f"  {name}: {PROMPTS[name]}\n" in text
    assert MARK not in text
    assert MARK not in render_result(result)
    same = replace(result, best_prompt=join_parts({**PROMPTS, "answer": "ANSWER now"}))
    assert "  rewrite: unchanged\n" in shown(show, same)


def test_a_run_that_is_not_over_has_its_initial_prompts(run_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(run_dir, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    run = read_run(tmp_path / "run")
    assert run.status == "interrupted"
    assert run.initial_prompt == join_parts(PROMPTS)
    assert "rewrite:\n" in shown(show_run, run)
    assert f"<del>{PROMPTS['rewrite'].split()[1]}" in write_report(tmp_path / "run", None).read_text()


def test_two_runs_are_compared_prompt_by_prompt(run_dir: Path) -> None:
    page = compare_html({"one": run_dir, "two": run_dir})
    for name in PROMPTS:
        assert f'aria-label="Best prompt of the second run, {name}"' in page
    assert MARK not in page
