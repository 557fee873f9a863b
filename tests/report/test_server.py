"""The live view over real HTTP: who is answered, and with what."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gpo.report.comparison.runs_list import COLUMNS, RunRows
from gpo.report.server import HOST, View, find_runs
from gpo.result.verdict import name_verdict
from gpo.text import points
from tests.report.support import Diary, run_sums


@pytest.fixture
async def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    for name in ("one", "deep/two"):
        diary = Diary(folder / name)
        diary.step(["Better <b>words</b>."], right=4)
        diary.close()
    (folder / "notes").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
async def address(runs: Path) -> AsyncIterator[str]:
    runner = web.AppRunner(View(runs).app())
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    yield f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_list_names_every_run(client: aiohttp.ClientSession, address: str) -> None:
    async with client.get(address) as response:
        html = await response.text()
    assert response.status == 200
    assert {"/run?name=one", "/run?name=deep%2Ftwo"} <= set(re.findall(r'href="([^"]*)"', html))
    assert "Interrupted" in html


def test_a_row_has_the_verdict_the_gain_with_its_interval_and_what_it_took(tmp_path: Path) -> None:
    found = run_sums(tmp_path / "run")
    found_rows = RunRows().read({"run": tmp_path / "run"})
    (row,), damaged = found_rows.rows, found_rows.damaged
    cells = dict(zip(COLUMNS, (text for text, _ in row.cells), strict=True))
    gain = found.improvement
    assert None not in (gain.test, gain.ci_low, gain.ci_high)
    shown = [points(value or 0.0, signed=True) for value in (gain.test, gain.ci_low, gain.ci_high)]
    assert cells["gain on test"] == f"{shown[0]} ({shown[1]} to {shown[2]})"
    assert cells["verdict"] == name_verdict(found)
    assert cells["best dev"] == points(found.scores.best.dev or 0.0)
    assert cells["steps"].startswith(str(len(found.steps)))
    assert ("recency" in cells["method"], damaged) == (True, ())
    assert row.sparkline
    assert "Best dev score by step, from" in row.sparkline


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost.evil:{port}", ""]
)
async def test_other_hosts_are_refused(client: aiohttp.ClientSession, address: str, host: str) -> None:
    port = address.rsplit(":", 1)[1]
    async with client.get(address, headers={"Host": host.format(port=port)}) as response:
        assert response.status == 403
        assert "one" not in await response.text()


async def test_localhost_is_this_machine_too(client: aiohttp.ClientSession, address: str) -> None:
    port = address.rsplit(":", 1)[1]
    async with client.get(address, headers={"Host": f"localhost:{port}"}) as response:
        assert response.status == 200


async def test_nothing_can_be_written(client: aiohttp.ClientSession, address: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        for path in ("/", "/state?run=one", "/nothing"):
            async with client.request(method, address + path) as response:
                assert response.status == 405, (method, path)
                assert response.headers["Allow"] == "GET, HEAD"


async def test_head_is_answered(client: aiohttp.ClientSession, address: str) -> None:
    async with client.head(address) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["/", "/run?name=one", "/state?run=one", "/nothing", "/run?name=no"])
async def test_every_answer_forbids_what_the_page_does_not_need(
    client: aiohttp.ClientSession, address: str, path: str
) -> None:
    async with client.get(address + path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_only_found_runs_are_read(client: aiohttp.ClientSession, address: str) -> None:
    asked = ("/run?name=", "/state?run=", "/compare?run=", "/exchange?split=dev&example=1&prompt=0&run=")
    for path in asked:
        for name in ("..", "../runs/one", "/etc", "%2e%2e", "notes", "one/../one", "one%00", "ONE "):
            async with client.get(address + path + name) as response:
                assert response.status == 404, (path, name)
                assert "secret" not in await response.text()


async def test_state_grows_with_the_run_and_says_when_nothing_is_new(
    client: aiohttp.ClientSession, address: str, runs: Path
) -> None:
    diary = Diary(runs / "three")
    diary.step(["First."], right=2)
    async with client.get(f"{address}/state?run=three") as response:
        first = await response.json()
    async with client.get(f"{address}/state?run=three&since={first['version']}") as response:
        same = await response.json()
    diary.step(["Second."], right=3)
    async with client.get(f"{address}/state?run=three&since={first['version']}") as response:
        second = await response.json()
    diary.close()
    assert (first["status"], len(first["details"]["steps"])) == ("running", 1)
    assert same == {"version": first["version"], "status": "unchanged"}
    assert len(second["details"]["steps"]) == 2
    assert "step 2 of 10 done" in second["sections"]["head"]


async def test_texts_are_escaped_in_what_the_page_inserts(
    client: aiohttp.ClientSession, address: str
) -> None:
    async with client.get(f"{address}/state?run=one") as response:
        sections = (await response.json())["sections"]
    assert "<b>words" not in "".join(sections.values())
    assert "&lt;b&gt;words" in sections["prompt"]


async def test_an_exchange_is_the_whole_conversation(client: aiohttp.ClientSession, address: str) -> None:
    async with client.get(f"{address}/exchange?run=one&split=dev&example=dev:1&prompt=1") as response:
        turns = (await response.json())["turns"]
    assert turns == [["user", "Q: Question 1?\nBetter <b>words</b>.\nA:"], ["reply", "Yes"]]
    async with client.get(f"{address}/exchange?run=one&split=dev&example=none&prompt=1") as response:
        assert response.status == 404


async def test_runs_are_compared(client: aiohttp.ClientSession, address: str) -> None:
    async with client.get(f"{address}/compare?run=one&run=deep/two") as response:
        html = await response.text()
    assert response.status == 200
    assert html.count('href="/run?name=') == 2
    assert "66.7 (30.0 to 90.3)" in html  # Wilson's interval of 4 of 6


async def test_a_damaged_run_is_one_line_of_the_list(
    client: aiohttp.ClientSession, address: str, runs: Path
) -> None:
    (runs / "broken").mkdir()
    (runs / "broken/journal.sqlite").write_bytes(b"SQLite format 3\x00" + b"?" * 4000)
    async with client.get(address) as response:
        html = await response.text()
    assert response.status == 200
    assert "broken" in html
    assert "name=one" in html


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "elsewhere/run")
    diary.close()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/link").symlink_to(tmp_path / "elsewhere")
    assert find_runs(tmp_path / "runs") == {}
