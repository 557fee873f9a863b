"""Finding a browser, and asking a page about itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib import resources
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Open = Callable[..., Any]


def find_chromium() -> str | None:
    """The program that GPO_CHROMIUM names, else the first that is on the PATH."""
    named = os.environ.get("GPO_CHROMIUM")
    return named or next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def wait_until(page: Any, condition: str, arg: object = None) -> None:
    """Until the script `condition` holds, 10 s at most. Playwright's own wait would need a policy that allows eval."""
    for _ in range(500):
        if page.evaluate(condition, arg):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never came true: {condition}")


def violations(page: Any) -> list[str]:
    """What axe-core objects to, one line each. Injected from outside, as the page's policy loads nothing."""
    axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{item['id']}: {node['html'][:160]}" for item in found for node in item["nodes"]]


def assert_fine(page: Any, width: int) -> None:
    """No objection of axe, and nothing wider than the window."""
    found = violations(page)
    assert not found, found
    assert page.evaluate("document.documentElement.scrollWidth") <= width
