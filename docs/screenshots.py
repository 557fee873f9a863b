"""The pictures of the README, made from a run: `uv run python docs/screenshots.py RUN_DIR [FOLDER]`.

Needs a Chromium on the PATH (or its name in GPO_CHROMIUM). Knows the page by its parts' ids only.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, sync_playwright

from gpo.report.page import write_report

SHOTS: tuple[tuple[str, Literal["light", "dark"], int], ...] = (
    ("light", "light", 1100),
    ("dark", "dark", 1100),
    ("narrow", "light", 400),
)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(run_dir: Path, folder: Path) -> None:
    """Write `report-light.png`, `report-dark.png` and `report-narrow.png` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    address = write_report(run_dir).resolve().as_uri()
    program = os.environ.get("GPO_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, scheme, width in SHOTS:
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 1250})
            page = context.new_page()
            page.goto(address)
            page.wait_for_selector("body[data-ready]")
            show_best(page)
            page.screenshot(path=folder / f"report-{name}.png")
            context.close()
        browser.close()


def show_best(page: Page) -> None:
    """The best candidate is selected and the curve is in sight."""
    page.evaluate(
        """() => { const dev = (mark) => parseFloat((/dev ([0-9.]+)/.exec(mark.ariaLabel) || [0, -1])[1]);
        const marks = [...document.querySelectorAll('#curve .dot.chosen')];
        marks.reduce((a, b) => (dev(b) > dev(a) ? b : a)).focus(); }"""
    )
    page.evaluate("document.activeElement.blur(); document.querySelector('#curve').scrollIntoView()")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent)
