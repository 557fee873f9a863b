"""The live view: the pages of a folder of runs, on this machine alone and read-only.

Answers on 127.0.0.1 to requests that name that host (a page elsewhere cannot reach it by a name of its own), to GET and
HEAD only. A run is looked up among those that were found; no part of a request ever becomes a path.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from gpo.errors import GPOError, RunError
from gpo.report import embed
from gpo.report.comparison.compare import compare_html, read_pair
from gpo.report.comparison.run_version import run_version
from gpo.report.comparison.runs_list import COLUMNS, NUMERIC, RunRows
from gpo.report.data import read_run
from gpo.report.details import collect_details
from gpo.report.exchanges import find_exchange
from gpo.report.page import render, sections
from gpo.report.views import RunView
from gpo.run.directory import RunDirectory
from gpo.storage.journal_reader import JournalReader

HOST = "127.0.0.1"
_DEPTH = 5
_MOST_RUNS = 2000
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def find_runs(folder: Path) -> dict[str, Path]:
    """The run directories in `folder` and below it by their path within it, "." for `folder` itself. Links to folders
    are not followed."""
    found: dict[str, Path] = {}
    for here, folders, files in os.walk(folder):
        relative = Path(here).relative_to(folder)
        if "journal.sqlite" in files:
            name = relative.as_posix() if relative.parts else folder.resolve().name
            found[name] = Path(here)
        if len(relative.parts) >= _DEPTH or len(found) >= _MOST_RUNS:
            folders.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
    return found


class View:
    """The pages of the runs in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows = RunRows()
        self._states: dict[str, tuple[str, str]] = {}
        self._reading = asyncio.Lock()

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[_guard])
        for path, handler in (
            ("/", self.runs),
            ("/run", self.run),
            ("/state", self.state),
            ("/exchange", self.exchange),
            ("/compare", self.compare),
            ("/pair", self.pair),
        ):
            app.router.add_get(path, handler)
        return app

    async def runs(self, request: web.Request) -> web.Response:
        """All runs; nothing (204) where the page has seen this version of them (`since`)."""
        text = await asyncio.to_thread(self._list_html, request.query.get("since", ""))
        return web.Response(status=204) if text is None else _page(text)

    async def run(self, request: web.Request) -> web.Response:
        """One run; its data comes from `state`."""
        name, path = await self._find(request.query.get("name", ""))
        return _page(await asyncio.to_thread(_run_html, name, path))

    async def state(self, request: web.Request) -> web.Response:
        """What a run's page shows, or only its version where the page has seen it (`since`)."""
        name, path = await self._find(request.query.get("run", ""))
        version = run_version(path)
        if request.query.get("since") == version:
            return _json(f'{{"version":{embed.json_text(version)},"status":"unchanged"}}')
        async with self._reading:  # several pages of one run read its journal once
            known, text = self._states.get(name, ("", ""))
            if known != version:
                text = await asyncio.to_thread(_state_text, path, version)
                self._states = {name: (version, text)}
        return _json(text)

    async def exchange(self, request: web.Request) -> web.Response:
        """One conversation."""
        _, path = await self._find(request.query.get("run", ""))
        query = request.query
        prompt = query.get("prompt", "")
        index = int(prompt) if prompt.isascii() and prompt.isdigit() and len(prompt) < 7 else -1
        turns = await asyncio.to_thread(
            _exchange, path, query.get("split", ""), query.get("example", ""), index
        )
        if turns is None:
            raise web.HTTPNotFound(text='{"error":"no such cell"}', content_type="application/json")
        return _json(embed.json_text({"turns": turns}))

    async def compare(self, request: web.Request) -> web.Response:
        """The chosen runs side by side, or all."""
        runs = await asyncio.to_thread(find_runs, self.folder)
        names = request.query.getall("run", [])
        if unknown := [name for name in names if name not in runs]:
            raise web.HTTPNotFound(text=f"no run {unknown[0]!a}")
        chosen = {name: runs[name] for name in names or runs}
        return _page(await asyncio.to_thread(_compare_html, chosen, bool(names)))

    async def pair(self, request: web.Request) -> web.Response:
        """Two runs against each other, a part of the page that compares them."""
        first, second = [await self._find(request.query.get(name, "")) for name in ("first", "second")]
        return _page(await asyncio.to_thread(read_pair, first, second))

    def _list_html(self, since: str) -> str | None:
        found = self._rows.read(find_runs(self.folder))
        if found.version == since:
            return None
        return render(
            "runs.html",
            served=True,
            title="Runs · GPO",
            folder=self.folder,
            columns=COLUMNS,
            numeric=NUMERIC,
            found=found,
        )

    async def _find(self, name: str) -> tuple[str, Path]:
        runs = await asyncio.to_thread(find_runs, self.folder)
        if name not in runs:
            raise web.HTTPNotFound(text='{"error":"no such run"}', content_type="application/json")
        return name, runs[name]


async def serve(folder: Path, port: int, announce: Callable[[str], None]) -> None:
    """Serve the runs of `folder` until cancelled; `announce` is told the address. Raises `RunError` where the port is
    taken."""
    runner = web.AppRunner(View(folder).app(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise RunError(
                f"--port {port}: cannot be used ({error.strerror}); choose another one, or 0 for any"
            ) from None
        announce(f"http://{HOST}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    response: web.StreamResponse
    if (refusal := _refusal(request)) is not None:
        response = refusal
    else:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=error.text, content_type=error.content_type)
        except Exception as error:
            line = str(error) if isinstance(error, GPOError) else f"cannot be shown ({type(error).__name__})"
            asked = request.path in ("/state", "/exchange")
            plain = web.Response(status=500, text=line)
            response = _json(embed.json_text({"error": line}), status=500) if asked else plain
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = f"{embed.policy(live=True)}; frame-ancestors 'none'"
    return response


def _refusal(request: web.Request) -> web.Response | None:
    transport = request.transport
    port = transport.get_extra_info("sockname")[1] if transport else None
    if request.headers.getall("Host", []) not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
        return web.Response(status=403, text="this server answers to 127.0.0.1 and localhost only")
    if request.method not in ("GET", "HEAD"):
        return web.Response(status=405, text="this server only reads", headers={"Allow": "GET, HEAD"})
    return None


def _page(text: str) -> web.Response:
    return web.Response(
        body=text.encode("utf-8", "backslashreplace"), content_type="text/html", charset="utf-8"
    )


def _json(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json")


def _run_html(name: str, path: Path) -> str:
    run, parts, _ = _read(path)
    return render("run.html", live=name, served=True, title=f"{name} · GPO", run=run, sections=parts)


def _state_text(path: Path, version: str) -> str:
    run, parts, found = _read(path)
    return embed.json_text({"version": version, "status": run.status, "sections": parts, "details": found})


def _read(path: Path) -> tuple[RunView, dict[str, str], dict[str, Any]]:
    run = read_run(path)
    with JournalReader(RunDirectory(path).journal_path) as reader:
        return run, sections(run, reader), collect_details(run, reader)


def _exchange(path: Path, split: str, example: str, index: int) -> list[list[str]] | None:
    run = read_run(path)
    with JournalReader(RunDirectory(path).journal_path) as reader:
        return find_exchange(run, reader, split, example, index)


def _compare_html(chosen: dict[str, Path], strict: bool) -> str:
    return compare_html(chosen, served=True, strict=strict)
