"""Large runs in a real browser: 1,000 steps, 5,000 test rows, 18 steps of 8 candidates, and paper. Made by the program
itself, with functions for models."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpo.report.page import write_report
from tests.report.browser import Open, assert_fine, wait_until
from tests.report.support import run_sums

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


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
    result = run_sums(tmp_path / "run", sizes=(8, 12, 12), epochs=1000, candidates=1, at_length=True)
    assert len(result.steps) == 1000
    page = open_page(write_report(tmp_path / "run"))
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    page.wait_for_selector("body[data-ready]")
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
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    # Processor time of the page's thread, not the clock: it does not depend on what else the machine does.
    assert metrics["TaskDuration"] < 3
    print(f"{metrics['TaskDuration']:.2f} s of work")
    assert page.locator("#steps > details").count() == 1000
    assert_fine(page, 1100)


def test_five_thousand_test_rows_do_not_stutter(open_page: Open, tmp_path: Path) -> None:
    run_sums(tmp_path / "run", sizes=(8, 6, 5000), candidates=2, at_length=True)
    page = open_page(write_report(tmp_path / "run"))
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    page.wait_for_selector("body[data-ready]")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    assert metrics["ScriptDuration"] < 1
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
