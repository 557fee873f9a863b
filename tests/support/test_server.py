"""The model server is as other tests rely on it to be."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

from gpo.model.model import Message, Request
from gpo.model.openai.client import OpenAIClient
from tests.support.landscape import Landscape
from tests.support.server import Faults

ROOT = Path(__file__).resolve().parents[2]


def test_faults_come_at_their_rates_and_for_the_same_requests_always() -> None:
    faults = Faults(rates={"500": 0.05, "reset": 0.2}, seed=1)
    picked = [faults.pick(str(i), 0) for i in range(4000)]
    assert picked == [faults.pick(str(i), 0) for i in range(4000)]
    counts = Counter(picked)
    # 200 and 800 are expected; five standard deviations are 69 and 127.
    assert abs(counts["500"] - 200) < 69
    assert abs(counts["reset"] - 800) < 127
    assert picked != [Faults(rates=faults.rates, seed=2).pick(str(i), 0) for i in range(4000)]
    limited = Faults(rates={"500": 1.0}, per_request=2)
    assert [limited.pick("x", attempt) for attempt in range(4)] == ["500", "500", None, None]


def test_it_runs_as_a_process_of_its_own_and_tells_its_counters() -> None:
    command = [sys.executable, "-m", "tests.support.server", "--script", "landscape"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            row = Landscape().rows(1)[0]
            request = Request(messages=(Message("user", f"{row['input']}\namber"),))

            async def twice() -> list[str]:
                wire = OpenAIClient(base_url=url, model="m")
                texts = [(await wire.complete(request)).text for _ in range(2)]
                await wire.aclose()
                return texts

            texts = asyncio.run(twice())
            assert texts[0] == texts[1]
            assert texts[0] in ("left", "right")
            with urllib.request.urlopen(url.replace("/v1", "/stats")) as answer:
                stats = json.load(answer)
            assert (stats["calls"], stats["finished"], stats["repeated"]) == (2, 2, 1)
            assert stats["prompt_tokens"] == 2 * 9
        finally:
            process.kill()
