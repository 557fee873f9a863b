"""The page in a real browser: what a person does with it by mouse, by keyboard and with hostile prompts.

Set GPO_CHROMIUM to the program where it has another name. Without a browser these tests are skipped.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpo.report.page import write_report
from gpo.run.journal_writer import EXAMPLES, prompt_id
from gpo.storage.records import RecordedScore
from tests.report.browser import Open, violations, wait_until
from tests.report.support import Diary, run_sums

HOSTILE = "</script><script>window.hacked=1</script></style><img src=x onerror=window.hacked=2>\u202e\\u003cb\\u003e"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "sums"
    run_sums(run_dir)
    return write_report(run_dir)


def open_step(page: Any, number: int) -> None:
    if not page.locator("#steps").is_visible():
        page.locator("#details-of-run > details > summary").first.click()
    page.locator(f"#step-{number} > summary").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 400])
def test_a_finished_run_has_no_accessibility_violations_and_fits(
    open_page: Open, finished: Path, scheme: str, width: int
) -> None:
    page = open_page(finished, color_scheme=scheme, viewport={"width": width, "height": 900})
    open_step(page, 1)
    page.locator("#step-1 .inside").wait_for()
    page.locator('[data-c="0.0"]').first.focus()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_copy_gives_the_clean_prompt(open_page: Open, finished: Path) -> None:
    page = open_page(finished, permissions=["clipboard-read", "clipboard-write"])
    best = (finished.parent / "best_prompt.txt").read_text(encoding="utf-8")
    page.locator("button[data-copy]").first.click()
    for _ in range(100):
        if (copied := page.evaluate("navigator.clipboard.readText()")) == best:
            break
        page.wait_for_timeout(20)
    assert copied == best


def test_head_and_first_column_of_the_examples_stay_where_they_are(open_page: Open, finished: Path) -> None:
    page = open_page(finished, viewport={"width": 400, "height": 500})
    cell = page.locator(".cells tbody th").first
    assert cell.evaluate("element => getComputedStyle(element).position") == "sticky"


def test_the_keyboard_reaches_everything(open_page: Open, finished: Path) -> None:
    page = open_page(finished)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    # One stop for a whole chart; the arrows walk on it.
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.c"):
            break
        assert page.evaluate("document.activeElement.tagName") != "svg"  # a chart is no stop of its own
    first = page.evaluate("document.activeElement.dataset.c")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.dataset.c")
    assert (first.split(".")[0], second.split(".")[0]) in (("initial", "0"), ("0", "1"))
    told = page.locator("#candidate").inner_text()
    assert told.startswith("Step")
    assert not {"null", "undefined", "NaN"} & set(told.split())
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == f"candidate-{second.replace('.', '-')}"
    page.keyboard.press("Tab")  # on to the raw reply of this candidate
    page.keyboard.press("Enter")
    page.locator(f"#candidate-{second.replace('.', '-')} pre", has_text="<START>").wait_for()
    # Every stop shows where it is.
    outlined = """() => { const style = getComputedStyle(document.activeElement);
        return style.outlineStyle !== "none" || style.strokeWidth === "4px"; }"""
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.tagName") != "BODY"
        assert page.evaluate(outlined), page.evaluate("document.activeElement.outerHTML")


def test_the_prompt_is_shown_clean_as_a_difference_and_side_by_side(open_page: Open, finished: Path) -> None:
    page = open_page(finished)
    best = page.locator("#best-prompt")
    assert best.is_visible()
    assert page.locator("#prompt ins").first.is_hidden()
    page.get_by_label("Differences").check()
    assert best.is_hidden()
    assert page.locator("#prompt .pane.diff ins").first.is_visible()
    page.get_by_label("Side by side").check()
    boxes = [
        page.locator(f'[aria-label="{name}"]').bounding_box()
        for name in ("Initial prompt", "Best prompt beside it")
    ]
    assert boxes[0]["x"] < boxes[1]["x"]
    page.locator("summary", has_text="The whole template").click()
    assert "{input}" in page.locator("#template").inner_text()


def test_a_count_shows_its_examples_and_a_cell_opens_the_exchange(open_page: Open, finished: Path) -> None:
    page = open_page(finished)
    rows = page.locator(".cells tbody tr:not(.gap)")
    assert rows.count() == 20  # the held-out test set stands first
    total = 0
    for key in ("fixed", "broken", "never", "right"):
        button = page.locator(f'[data-filter="{key}"]')
        count = int(button.locator("b").inner_text())
        button.click()
        assert rows.count() == count
        total += count
    assert total == 20
    page.locator('[data-filter="fixed"]').click()
    assert page.evaluate("document.activeElement.value") == "fixed"
    cells = rows.first.locator("button")
    assert "wrong" in cells.first.inner_text()
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    assert "right" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    dialog = page.locator("#exchange")
    dialog.wait_for()
    page.locator("#exchange-body pre", has_text="Let me see.").wait_for()
    assert "Expected:" in dialog.inner_text()
    assert page.get_by_role("button", name="Previous").is_disabled()
    first = page.locator("#exchange-title").inner_text()
    page.get_by_role("button", name="Next").click()
    wait_until(
        page,
        "title => document.getElementById('exchange-title').textContent !== title",
        arg=first,
    )
    # All prompts of one example; the other one shows its own reply.
    prompts = dialog.get_by_role("group", name="All prompts for this example").locator("button")
    assert prompts.count() == 2
    prompts.first.click()
    page.locator("#exchange-title", has_text="initial prompt: wrong").wait_for()
    assert violations(page) == []
    assert "null" not in page.locator("body").inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.dataset.key").startswith("test/")


def test_examples_are_searched_and_sorted(open_page: Open, finished: Path) -> None:
    page = open_page(finished)
    rows = page.locator(".cells tbody tr:not(.gap)")

    def numbers() -> list[int]:
        return [int(text) for text in page.locator(".cells .no").all_inner_texts()]

    def expected() -> list[str]:
        return [str(text) for text in page.locator(".cells tbody td:nth-child(2)").all_inner_texts()]

    assert numbers() == list(range(1, 21))
    texts = page.locator(".cells tbody th").all_inner_texts()
    word = texts[4].split("Is ")[1].split(" +")[0]
    page.get_by_label("Search").fill(f"Is {word} +")
    assert rows.count() == sum(f"Is {word} +" in text for text in texts)
    page.get_by_label("Search").fill("")
    by = page.locator('[data-sort="expected"]')
    plain = expected()
    by.click()
    assert expected() == sorted(plain)
    assert page.locator("th", has=by).get_attribute("aria-sort") == "ascending"
    assert page.evaluate("document.activeElement.dataset.sort") == "expected"
    by.click()
    assert expected() == sorted(plain, reverse=True)
    by.click()
    assert numbers() == list(range(1, 21))


def test_what_the_page_holds_is_downloaded(open_page: Open, finished: Path) -> None:
    page = open_page(finished)
    page.locator("summary", has_text="Downloads").click()
    found = {}
    for kind in ("csv", "json"):
        with page.expect_download() as info:
            page.locator(f'[data-download="{kind}"]').click()
        assert info.value.suggested_filename == f"sums.{kind}"
        found[kind] = Path(info.value.path()).read_text(encoding="utf-8-sig")
    lines = list(csv.reader(io.StringIO(found["csv"])))
    assert len(lines) == 1 + 12 + 20
    assert lines[0][:5] == ["split", "number", "id", "question", "expected"]
    details = json.loads(found["json"])
    rows = [row for part in details["grid"]["splits"] for row in part["rows"]]
    assert [line[3] for line in lines[1:]] == [row["question"] for row in rows]


def test_a_formula_of_a_dataset_is_no_formula_of_a_spreadsheet(open_page: Open, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.examples["dev:1"][0] = '=HYPERLINK("http://x","y")'
    diary.journal.put_meta(f"{EXAMPLES}dev", diary.examples)
    diary.close()
    page = open_page(write_report(tmp_path / "run"))
    page.locator("summary", has_text="Downloads").click()
    with page.expect_download() as info:
        page.locator('[data-download="csv"]').click()
    lines = list(csv.reader(io.StringIO(Path(info.value.path()).read_text(encoding="utf-8-sig"))))
    assert lines[1][3] == '\'=HYPERLINK("http://x","y")'


def test_paper_has_all_rows_and_no_controls(open_page: Open, finished: Path) -> None:
    page = open_page(finished, viewport={"width": 700, "height": 900})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".cells tbody tr:not(.gap)").count() == 20
    assert page.get_by_label("Search").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_pointing_at_a_mark_shows_its_prompt(open_page: Open, finished: Path) -> None:
    page = open_page(finished)
    mark = page.locator('#path figure [data-c="1.0"]').first
    page.get_by_label("Show every candidate").check()
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "Step 2, candidate" in page.locator("#candidate").inner_text()
    # On demand: most marks are away until they are asked for.
    shown = page.locator('[data-section="path"] .others circle:visible')
    assert shown.count() > 0
    page.get_by_label("Show every candidate").uncheck()
    assert shown.count() == 0


def test_hostile_prompts_do_nothing_and_the_layout_holds(open_page: Open, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run", HOSTILE)
    diary.step([f"{HOSTILE} again", "w" * 100_000, "two " * 25_000], right=4, rejected=HOSTILE)
    diary.close()
    for width in (1100, 400):
        page = open_page(write_report(tmp_path / "run"), viewport={"width": width, "height": 900})
        open_step(page, 1)
        page.locator("#candidate-0-1").wait_for()
        for name in ("initial", "0.0", "0.1"):
            page.locator(f'[data-c="{name}"]').first.focus()
        page.locator(".cells button[data-key]").first.click()
        page.locator("#exchange-body pre").first.wait_for()
        assert page.evaluate("window.hacked") is None
        assert page.locator("img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#candidate-0-1 .text").bounding_box()["height"] < 400
        assert HOSTILE in page.locator("#best-prompt").text_content()


def test_a_long_question_leaves_room_for_the_answers(open_page: Open, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "run")
    diary.examples["dev:1"][0] = "How long? " * 100
    diary.journal.put_meta(f"{EXAMPLES}dev", diary.examples)
    diary.step(["Better."], right=4)
    diary.close()
    page = open_page(write_report(tmp_path / "run"), viewport={"width": 1440, "height": 900})
    box, last = page.locator(".gridbox").bounding_box(), page.locator(".cells thead th").last.bounding_box()
    assert last["x"] + last["width"] <= box["x"] + box["width"] + 1


def test_the_policy_stops_code_that_got_in_anyway(open_page: Open, finished: Path, tmp_path: Path) -> None:
    html = finished.read_text(encoding="utf-8")
    hole = tmp_path / "hole.html"
    hole.write_text(html.replace("</main>", "<script>window.hacked=1</script></main>"), encoding="utf-8")
    page = open_page(hole, expected="Content Security Policy")
    assert page.evaluate("window.hacked") is None


def test_a_page_grows_with_its_run(open_page: Open, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    diary = Diary(tmp_path / "runs/live")
    diary.step(["First try."], right=2)
    page = open_page(f"{serve(tmp_path / 'runs')}/run?name=live")
    assert "step 1 of 10 done" in page.locator("header").inner_text()
    assert "Stop is Ctrl-C in the terminal" in page.locator("header").inner_text()
    page.get_by_label("Differences").check()
    open_step(page, 1)
    page.locator('#path [data-section="path"] [data-c="0.0"]').first.focus()
    diary.step(["Second try."], right=5)
    page.wait_for_selector('#path [data-section="path"] [data-c="1.0"]')
    assert "step 2 of 10 done" in page.locator("header").inner_text()
    assert page.locator("#best-prompt").text_content() == "Second try."
    assert page.get_by_label("Differences").is_checked()
    assert page.locator("#step-2").count() == 1
    # What the reader is in stays: the open step, the focus.
    assert page.locator("#step-1").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.dataset.c") == "0.0"
    page.locator(".cells button[data-key]").first.click()
    page.locator("#exchange-body pre").first.wait_for()
    assert "Question 1?" in page.locator("#exchange-body").inner_text()
    page.keyboard.press("Escape")
    assert violations(page) == []
    diary.close()


def test_a_long_prompt_is_folded_and_a_run_of_unreadable_replies_says_so_first(
    open_page: Open, tmp_path: Path
) -> None:
    words = " ".join(f"word{i}" for i in range(300))
    diary = Diary(tmp_path / "run", words, examples=6)
    for number in range(1, 5):
        diary.journal.put_score(RecordedScore(prompt_id(words), "dev", f"dev:{number}", 0.0, None, True, ()))
    diary.step([f"{words} and more"], right=4)
    diary.close()
    for width in (1440, 400):
        page = open_page(write_report(tmp_path / "run"), viewport={"width": width, "height": 900})
        strip = page.get_by_role("note", name="Warnings")
        assert "4 of 12 replies could not be read" in strip.inner_text()
        assert strip.bounding_box()["y"] < page.locator("#prompt").bounding_box()["y"]
        page.get_by_label("Differences").check()
        fold = page.locator(".pane.diff .fold")
        assert fold.locator("summary").inner_text() == "260 unchanged words"
        fold.locator("summary").click()
        assert "word150" in page.locator(".pane.diff .prompt").inner_text()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
