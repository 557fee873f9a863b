"""What tests in a real browser need: one Chromium, pages that fail the test where they report an error, `gpo view`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gpo.report.server import HOST, View
from tests.report.browser import FLAGS, PROGRAMS, Open, find_chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; the test is skipped, and says why, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        own = driver.chromium.executable_path  # where `playwright install chromium` puts it
        program = find_chromium() or (own if Path(own).exists() else None)
        if program is None:
            pytest.skip(
                f"no browser: none of {', '.join(PROGRAMS)} is on the PATH (CONTRIBUTING.md installs one)"
            )
        running = driver.chromium.launch(executable_path=program, args=FLAGS, timeout=180_000)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens an address, waits until the page is alive; fails the test where the page reports an error."""
    contexts: list[Any] = []
    troubles: list[str] = []

    def opened(address: str | Path, *, expected: str | None = None, **options: Any) -> Any:
        def trouble(text: str) -> None:
            if expected is None or expected not in text:
                troubles.append(text)

        options = {"viewport": {"width": 1100, "height": 900}, **options}
        context = browser.new_context(**options)
        context.set_default_timeout(120_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble(f"{error} {error.stack}"))
        page.on("console", lambda line: trouble(line.text) if line.type == "error" else None)
        page.goto(address.resolve().as_uri() if isinstance(address, Path) else address)
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """`gpo view` on a folder, in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runners: list[web.AppRunner] = []

    async def start(folder: Path) -> str:
        runner = web.AppRunner(View(folder).app())
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, HOST, 0).start()
        return f"http://{HOST}:{runner.addresses[0][1]}"

    yield lambda folder: asyncio.run_coroutine_threadsafe(start(folder), loop).result()
    for runner in runners:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
