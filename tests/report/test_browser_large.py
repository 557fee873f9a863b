"""Large runs in a real browser: 1,000 steps, 5,000 test rows, 18 steps of 8 candidates, and paper. The last is made by
the program itself, with functions for models; the others are written as its journal is, in a hundredth of the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpo.report.page import write_report
from tests.report.browser import Open, assert_fine, wait_until
from tests.report.support import Diary, run_sums, wander

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def reload_measured(page: Any) -> Callable[[], dict[str, float]]:
    """Loads the page again; what it returns tells what that and the rest have cost by now, in seconds of the page's
    thread and not of the clock, so that it does not depend on what else the machine does."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    page.wait_for_selector("body[data-ready]")
    return lambda: {
        metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]
    }


def test_a_page_of_eighteen_steps_of_eight_candidates_is_small_and_prints(
    open_page: Open, tmp_path: Path
) -> None:
    run_sums(tmp_path / "run", sizes=(48, 24, 60), epochs=3, candidates=8, at_length=True)
    path = write_report(tmp_path / "run")
    assert path.stat().st_size < 300_000
    page = open_page(path, viewport={"width": 1440, "height": 900})
    page.locator("summary", has_text="Steps, with meta-prompts").click()
    assert page.locator("#steps > details").count() == 18
    assert_fine(page, 1440)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".cells tbody tr:not(.gap)").count() == 60
    assert page.pdf(format="A4").count(b"/Type /Page\n") < 25


def test_a_thousand_steps_are_legible_and_usable_at_once(open_page: Open, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run", examples=12, total=1000)
    for number in range(1000):
        prompt = wander(f"{number}").split("<START>")[1].split("<END>")[0]
        diary.step([prompt], right=(number // 100 + number * 7 % 5) % 13, calls=False)
    diary.test(20, before=5, after=12)
    diary.close()
    page = open_page(write_report(tmp_path / "run"))
    measure = reload_measured(page)
    # At once there are few marks and a smooth line; all are there on demand.
    shown = page.locator('#path [data-section="path"] [data-c]:visible')
    assert shown.count() < 40
    corners = page.locator("path.line.current").first.get_attribute("d").count("L")
    assert corners < 100
    assert page.locator("path.range").count() == 1
    page.get_by_label("Show every candidate").check()
    assert shown.count() > 900
    page.locator('#path [data-section="path"] [data-c="500.0"]').first.focus()
    assert page.locator("#candidate").inner_text().startswith("Step 501, candidate 1")
    metrics = measure()
    assert metrics["TaskDuration"] < 3
    print(f"{metrics['TaskDuration']:.2f} s of work")
    assert page.locator("#steps > details").count() == 1000
    assert_fine(page, 1100)


def test_five_thousand_test_rows_do_not_stutter(open_page: Open, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.step(["Better words."], right=5)
    diary.test(5000, before=2000, after=3000)
    diary.close()
    page = open_page(write_report(tmp_path / "run"))
    measure = reload_measured(page)
    metrics = measure()
    assert metrics["ScriptDuration"] < 1
    assert_fine(page, 1100)
    rows = page.locator(".cells tbody tr:not(.gap)")
    assert rows.count() < 100
    height = page.evaluate("document.querySelector('.gridbox').scrollHeight")
    page.locator(".cells button[data-key]").first.focus()
    page.keyboard.press("Control+End")
    assert page.evaluate("document.activeElement.dataset.key").startswith("test/test:5000/")
    assert rows.count() < 100
    page.evaluate("document.querySelector('.gridbox').scrollTop = 40000")
    wait_until(
        page,
        "document.querySelector('.gridbox').getBoundingClientRect().top < "
        "document.querySelector('[data-key=\"test/test:1200/0\"]')?.getBoundingClientRect().top",
    )
    assert abs(page.evaluate("document.querySelector('.gridbox').scrollHeight") - height) < 5
    head = page.locator(".cells thead th").first.bounding_box()
    box = page.locator(".gridbox").bounding_box()
    assert abs(head["y"] - box["y"]) < 3  # the head stays
