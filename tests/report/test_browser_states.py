"""Every page in every state in a real browser, wide and narrow, light and dark: axe objects to nothing, and it fits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpo.report.comparison.compare import compare_html
from gpo.report.page import write_report
from gpo.run.journal_writer import prompt_id
from gpo.storage.records import RecordedScore
from tests.report.browser import Open, assert_fine
from tests.report.support import Diary, copy_run, run_sums

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>\u202e" + "w" * 3000
LOOKS = [(1440, "light"), (400, "dark")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in each state; "comparisons" beside it holds runs of many configurations and seeds."""
    base = tmp_path_factory.mktemp("states")
    run_sums(base / "runs/finished")
    run_sums(base / "runs/evaluated", method="empty")
    run_sums(base / "runs/plus", method="gpo+", sizes=(16, 24, 20))
    Diary(base / "runs/empty").close()
    diary = Diary(base / "runs/failed")
    diary.step(["Go on."], right=5, rejected="copies an example")
    diary.journal.put_event("failure", {"error": "the endpoint is gone"})
    diary.close()
    diary = Diary(base / "runs/hostile", HOSTILE)
    diary.configure(method=HOSTILE[:200])
    diary.step([f"{HOSTILE} again", "two " * 20_000], right=4, rejected=HOSTILE)
    diary.close()
    diary = Diary(base / "runs/unreadable", examples=6)
    for number in range(1, 7):
        bad = RecordedScore(prompt_id("Start here."), "dev", f"dev:{number}", 0.0, None, True, ())
        diary.journal.put_score(bad)
    diary.close()
    for number in range(12):
        for seed in range(3 if number < 2 else 1):
            changes = {"optimize": {"epochs": number + 1}, "seed": seed}
            copy_run(base / "runs/finished", base / f"comparisons/number-{number:02d}-s{seed}", **changes)
    return base


@pytest.mark.parametrize(
    "name", ["finished", "evaluated", "plus", "empty", "failed", "hostile", "unreadable"]
)
def test_a_run(open_page: Open, folder: Path, name: str) -> None:
    path = write_report(folder / "runs" / name)
    for width, scheme in LOOKS:
        page = open_page(path, viewport={"width": width, "height": 900}, color_scheme=scheme)
        for _ in range(3):  # what is filled when it is opened has parts of its own
            page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
            page.wait_for_timeout(100)
        assert_fine(page, width)
        assert page.evaluate("window.hacked") is None


def test_a_run_that_goes_on(open_page: Open, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    diary = Diary(tmp_path / "runs/live")
    address = serve(tmp_path / "runs")
    for width, scheme in LOOKS:
        page = open_page(
            f"{address}/run?name=live", viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        head = page.locator("header")
        assert "Running" in head.inner_text()
        assert "Stop is Ctrl-C in the terminal" in head.inner_text()
        assert "calls a second" in head.inner_text()
        assert_fine(page, width)
        diary.step([f"At {width}."], right=width // 300)
        page.locator("header", has_text="left for the search").wait_for()
        assert page.locator("progress").is_visible()
        listed = open_page(address, viewport={"width": width, "height": 900}, color_scheme=scheme)
        assert "Running" in listed.locator("#runs").inner_text()
        assert_fine(listed, width)
    diary.close()


def test_lists(
    browser: Any, open_page: Open, folder: Path, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "one/broken").mkdir(parents=True)
    (tmp_path / "one/broken/journal.sqlite").write_bytes(b"SQLite format 3\x00" + b"?" * 4000)
    shutil.copytree(folder / "runs/finished", tmp_path / "one/fine")
    for where, told in (
        (tmp_path / "none", "No run is here yet"),
        (tmp_path / "one", "broken"),
        (folder / "runs", ""),
    ):
        address = serve(where)
        for width, scheme in LOOKS:
            page = open_page(address, viewport={"width": width, "height": 900}, color_scheme=scheme)
            assert told in page.locator("main").inner_text()
            assert_fine(page, width)


@pytest.mark.parametrize("names", ["number-00-s0 number-01-s0", "number-00-*", "*"])
def test_comparisons(open_page: Open, folder: Path, names: str, tmp_path: Path) -> None:
    found = {
        path.name: path for name in names.split() for path in sorted((folder / "comparisons").glob(name))
    }
    path = tmp_path / "compared.html"
    path.write_text(compare_html(found), encoding="utf-8")
    for width, scheme in LOOKS:
        page = open_page(path, viewport={"width": width, "height": 900}, color_scheme=scheme)
        assert_fine(page, width)


def test_a_comparison_of_hostile_runs(open_page: Open, folder: Path, serve: Callable[[Path], str]) -> None:
    page = open_page(f"{serve(folder / 'runs')}/compare", viewport={"width": 400, "height": 900})
    assert_fine(page, 400)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
