"""The list of runs and the comparison in a real browser: sorting, filtering, following, choosing two."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gpo.report.comparison.compare import compare_html
from tests.report.browser import Open, wait_until
from tests.report.support import Diary, copy_run, run_sums

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def write(folder: Path, name: str, right: int) -> None:
    diary = Diary(folder / name)
    diary.step(["Try."], right=right)
    diary.close()


def names(page: Any) -> list[str]:
    return [str(text) for text in page.locator("#runs tbody tr:visible th").all_inner_texts()]


def test_the_list_of_runs_is_sorted_filtered_and_follows_the_folder(
    open_page: Open, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    runs = tmp_path / "runs"
    for name, right in (("first", 5), ("second", 2), ("third", 4)):
        write(runs, name, right)
    page = open_page(serve(runs))
    assert names(page) == ["third", "second", "first"]
    page.get_by_role("button", name="best dev", exact=True).click()
    assert names(page) == ["first", "third", "second"]
    page.get_by_role("button", name="best dev", exact=True).click()
    assert names(page) == ["second", "third", "first"]
    page.get_by_label("Compare third").check()
    write(runs, "fourth", 3)
    (runs / "broken").mkdir()
    (runs / "broken/journal.sqlite").write_bytes(b"SQLite format 3\x00" + b"?" * 4000)
    page.locator("#runs tbody th", has_text="fourth").wait_for()
    assert names(page) == ["second", "fourth", "third", "first"]
    page.locator("#runs-damaged", has_text="broken").wait_for()
    assert page.locator("#runs-total").inner_text() == "4 runs"
    assert page.get_by_label("Compare third").is_checked()
    assert page.locator("#runs-chosen").inner_text() == "1 ticked"
    page.get_by_label("Filter").fill("ird")
    assert names(page) == ["third"]
    assert page.locator("#runs-count").inner_text() == "1 of 4 runs"
    assert page.locator("#runs .spark path").count() == 4
    # With none ticked those are compared that the filter leaves.
    page.get_by_label("Compare third").uncheck()
    page.get_by_label("Filter").fill("ir")
    assert sorted(names(page)) == ["first", "third"]
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("h1:has-text('Runs compared')")
    assert sorted(page.locator("#table tbody tr.inner th").all_inner_texts()) == ["first", "third"]


def test_hundreds_of_runs_stay_usable(open_page: Open, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    run_sums(tmp_path / "one")
    for number in range(300):
        copy_run(tmp_path / "one", tmp_path / f"runs/run-{number:03d}", seed=number)
    page = open_page(serve(tmp_path / "runs"))
    assert page.locator("#runs tbody tr").count() == 300
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.get_by_role("button", name="run", exact=True).click()
    assert names(page)[0] == "run-000"
    page.get_by_label("Filter").fill("run-12")
    assert len(names(page)) == 10
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    # Processor time of the page's thread, not the clock: it does not depend on what else the machine does.
    assert metrics["ScriptDuration"] < 1
    print(f"{metrics['TaskDuration']:.2f} s of work, {metrics['ScriptDuration']:.2f} s of script")


def test_any_two_runs_are_compared(open_page: Open, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    runs = tmp_path / "runs"
    for name, seed, trajectory in (("a-s0", 0, "recency"), ("a-s1", 1, "recency"), ("b", 2, "importance")):
        run_sums(runs / name, seed=seed, method={"trajectory": trajectory})  # type: ignore[arg-type]
    path = tmp_path / "compared.html"
    path.write_text(compare_html({p.name: p for p in sorted(runs.iterdir())}), encoding="utf-8")
    told = {}
    for where in (path, f"{serve(runs)}/compare"):
        page = open_page(where)
        verdict = page.locator("#pair .verdict")
        told[where] = [verdict.inner_text()]
        for first, second in (("a-s1", "b"), ("b", "a-s1")):
            for label, name in (("First", first), ("Second", second)):
                option = page.locator(f"#pair-{label.lower()} option", has_text=name)
                page.get_by_label(label).select_option(label=option.inner_text())
            wait_until(page, f"document.querySelector('#pair h4')?.textContent === 'First: {first}'")
            wait_until(page, f"document.querySelectorAll('#pair h4')[1].textContent === 'Second: {second}'")
            told[where].append(verdict.inner_text())
            assert "method.trajectory" in page.locator("#pair table").inner_text()
        gain = page.locator("#pair .points").inner_text()
        page.get_by_role("button", name="Swap").click()
        wait_until(page, "document.querySelector('#pair h4').textContent === 'First: a-s1'")
        swapped = page.locator("#pair .points").inner_text()
        assert float(gain) == -float(swapped)
        page.get_by_label("First").select_option(index=0)
        page.get_by_label("Second").select_option(index=0)
        page.locator("#pair", has_text="Choose two different runs").wait_for()
    offline, served = told.values()
    assert offline == served


def test_one_line_of_many_is_followed(open_page: Open, tmp_path: Path) -> None:
    write(tmp_path, "one", 4)
    found = {}
    for number in range(10):
        found[f"configuration {number}"] = tmp_path / f"c{number}"
        copy_run(tmp_path / "one", tmp_path / f"c{number}", optimize={"epochs": number + 1})
    path = tmp_path / "compared.html"
    path.write_text(compare_html(found), encoding="utf-8")
    page = open_page(path, viewport={"width": 1440, "height": 900})
    names = page.locator("svg.wide text.name")
    boxes = [names.nth(i).bounding_box() for i in range(10)]
    ordered = sorted(boxes, key=lambda box: box["y"])
    assert all(a["y"] + a["height"] <= b["y"] + 4 for a, b in pairwise(ordered))
    page.locator(".legend [data-group='3']").hover()
    assert page.locator("#curves svg.wide g.series:not(.away)").count() == 1
    page.mouse.move(5, 5)
    assert page.locator("#curves svg.wide g.series:not(.away)").count() == 10
    narrow = open_page(path, viewport={"width": 400, "height": 900})
    assert narrow.locator("svg.wide").first.is_hidden()
    assert narrow.locator("svg.narrow").first.is_visible()
