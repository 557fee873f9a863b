"""The report as a file: what it says, what it never does."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import RunError
from gpo.report.data import read_run
from gpo.report.embed import json_text
from gpo.report.exchanges import pack_exchanges
from gpo.report.page import report_html, write_report
from gpo.result.result import Result
from gpo.storage.journal_reader import JournalReader
from tests.report.support import Diary, run_sums

HOSTILE = "</script><script>alert(1)</script></style><img src=x onerror=alert(2)> \u2028 \ud800 {{ 7*7 }} &amp; \x00"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "sums"
    run_sums(run_dir)
    return run_dir


def packed(html: str, name: str) -> Any:
    found = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', html)
    assert found
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.seen


def test_a_finished_run_shows_prompt_scores_intervals_cost_and_verdict(finished: Path) -> None:
    result = Result.read(finished / "result.json")
    path = write_report(finished)
    html = path.read_text(encoding="utf-8")
    assert path == finished / "report.html"
    assert f"{100 * (result.scores.best.test or 0):.1f}" in html
    assert "held-out test set" in html
    assert re.search(r"\d+\.\d to \d+\.\d", html)
    assert f"{result.usage.task.calls:,} task calls" in html
    assert "cost unknown" in html
    assert len(html) < 1_000_000


def test_the_page_loads_nothing_and_allows_only_its_own_code(finished: Path) -> None:
    html = report_html(finished)
    for tag, attributes in tags(html):
        assert tag not in ("link", "iframe", "object", "embed", "base", "img")
        assert not {"src", "style"} & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(
        a["content"] or "" for t, a in tags(html) if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert body
        digest = base64.b64encode(hashlib.sha256(body[1].encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy


def test_steps_candidates_and_exchanges_are_all_there(finished: Path) -> None:
    html = report_html(finished)
    details = packed(html, "details")
    with JournalReader(finished / "journal.sqlite") as reader:
        steps = reader.steps()
    assert len(details["steps"]) == len(steps) == 2
    for shown, recorded in zip(details["steps"], steps.values(), strict=True):
        assert shown["meta"] == [[turn["role"], turn["content"]] for turn in recorded["meta_prompt"]]
        assert [c["raw"] for c in shown["candidates"]] == [c["raw"] for c in recorded["candidates"]]
        assert [c["rejected"] for c in shown["candidates"]] == [c["rejected"] for c in recorded["candidates"]]
        for candidate, known in zip(shown["candidates"], recorded["candidates"], strict=True):
            assert "".join(text for kind, text in candidate["diff"] if kind != "-") == known["prompt"]
    dev = details["grid"]["splits"][0]
    assert dev["split"] == "dev"
    row = dev["rows"][0]
    assert QUESTION_LIKE.match(row["question"])
    assert row["expected"] in ("Yes", "No")
    turns = packed(html, "exchanges")[f"dev/{row['id']}/0"]
    assert turns[0][0] == "user"
    assert row["question"] in turns[0][1]
    assert turns[-1][0] == "reply"
    assert turns[-1][1].startswith("Let me see.")


QUESTION_LIKE = re.compile(r"Is \d+ \+ \d+ = \d+\?")


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run", HOSTILE)
    diary.step([HOSTILE + " more", "x" * 100_000], right=4, rejected=HOSTILE)
    diary.close()
    html = write_report(tmp_path / "run").read_text(encoding="utf-8")
    seen = tags(html)
    assert not [tag for tag, _ in seen if tag == "img"]
    assert sum(tag == "script" for tag, _ in seen) == 3  # two of data, one of code
    assert "<script>alert" not in html
    assert "{{ 7*7 }}" in html  # not read as a template


def test_json_for_a_page_cannot_leave_its_element() -> None:
    text = json_text({"a": HOSTILE, "b": float("nan")})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"a": HOSTILE, "b": None}


def test_a_run_in_progress_and_an_interrupted_one(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.step(["Go on."], right=5)
    run = read_run(tmp_path / "run")
    assert (run.status, run.best_prompt, run.total) == ("running", "Go on.", 10)
    assert "The run goes on: step 1 of 10 done" in report_html(tmp_path / "run")
    diary.close()
    assert read_run(tmp_path / "run").status == "interrupted"
    html = report_html(tmp_path / "run")
    assert "Interrupted after step 1 of 10" in html
    assert "only the held-out test set will show" in html
    assert "Better" not in html


def test_retries_failures_and_estimates_are_told(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.step(["Go on."], right=5)
    diary.journal.put_event("retries", {"task": 3, "optimizer": 1})
    diary.journal.put_event("failure", {"error": "context <too> long"})
    diary.close()
    html = report_html(tmp_path / "run")
    assert "4 calls were tried again." in html
    assert "1 call failed; the last one: context &lt;too&gt; long" in html


@pytest.mark.parametrize("method", ["apo-original", "pe2-original"])
def test_methods_with_other_protocols_have_a_report_too(tmp_path: Path, method: str) -> None:
    run_sums(tmp_path / "run", method=method)
    html = report_html(tmp_path / "run")
    steps = packed(html, "details")["steps"]
    assert steps
    assert all(step["candidates"] for step in steps[:1])


def test_a_method_is_told_by_its_name_and_what_is_not_as_usual(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    switches = {"library": True, "reflection": False, "signal": True}
    diary.configure(method={"name": "gpo+", "budget": 100, **switches})
    diary.close()
    assert read_run(tmp_path / "run").method == "gpo+ · budget 100 · without reflection · with signal"


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    assert "No prompt is scored" in report_html(tmp_path / "run") or "0.0" in report_html(tmp_path / "run")
    diary.close()


def test_what_is_no_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run directory"):
        write_report(tmp_path)


def test_exchanges_keep_to_their_limit(tmp_path: Path) -> None:
    import random

    draw = random.Random(1)
    diary = Diary(tmp_path / "run", examples=8, total=20)
    for _ in range(12):
        diary.step([" ".join(f"{draw.getrandbits(64):x}" for _ in range(60))], right=3)
    diary.close()
    run = read_run(tmp_path / "run")
    with JournalReader(tmp_path / "run/journal.sqlite") as reader:
        few = pack_exchanges(run, reader, 6_000)
        everything = pack_exchanges(run, reader, 10_000_000)
    kept = json.loads(zlib.decompress(base64.b64decode(few.text)))
    assert len(few.text) <= 6_000 < len(everything.text)
    assert (few.kept, few.total, everything.kept) == (len(kept), 13 * 8, 13 * 8)
    assert f"this file holds {few.kept}" not in report_html(tmp_path / "run")  # all of them fit
    best = run.chosen_prompts().index(run.best_prompt)
    assert {key.rsplit("/", 1)[1] for key in list(kept)} >= {"0", str(best)}


def test_a_notebook_shows_a_result_and_no_markup_of_a_prompt() -> None:
    result = Result(status="complete", initial_prompt="Think.", best_prompt=f"Think. {HOSTILE}")
    html = result._repr_html_()
    assert "<script>" not in html
    assert "onerror=alert(2)&gt;" in html
    assert "<ins" in html


def test_the_command_writes_the_file_or_prints_the_essentials(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gpo.cli.main import main

    def gpo(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr("sys.argv", ["gpo", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    out = tmp_path / "page.html"
    code, text, error = gpo("report", finished, "--out", out)
    assert (code, text) == (0, f"{out}\n")
    assert error.startswith("next     open it in a browser")
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    code, text, _ = gpo("report", finished, "--text")
    assert code == 0
    assert "best prompt" in text
    code, text, error = gpo("report", tmp_path)
    assert (code, text, len(error.splitlines())) == (1, "", 1)
    code, text, error = gpo("report", finished, "--compare", finished)
    assert (code, text) == (2, "")
    assert "--out" in error
