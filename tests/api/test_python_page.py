"""Every block of docs/python.md, run in order in one place, against an endpoint on loopback."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import re
import sys
import textwrap
import tomllib
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import gpo
from tests.support.server import ModelServer, all_text

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)


def answer(body: dict[str, Any]) -> str:
    text = all_text(body)
    if "<START>" in text:
        return f"<START>Say refund or delivery, whichever fits, number {body.get('seed', 0) % 97}<END>"
    knows = "Say refund" in text  # else every message is a delivery to it
    return "refund" if knows and "money" in text.rsplit("Ticket", 1)[-1] else "delivery"


def run(code: CodeType, names: dict[str, Any]) -> None:
    waits = eval(code, names)
    if waits is not None:
        asyncio.run(waits)


def test_every_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict[str, Any] = {"__name__": "__main__"}
    with ModelServer(answer=answer) as server:
        for text in blocks("python"):
            source = text.replace("http://localhost:8000/v1", server.base_url)
            if source.startswith("# mine.py"):
                (tmp_path / "mine.py").write_text(source)
                continue
            if any(
                f"import {name}" in source or f"from {name}" in source
                for name in ("pandas", "openai")
                if importlib.util.find_spec(name) is None
            ):
                continue
            run(compile(source, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if "client" in names:

            async def close(text: str) -> str:
                await names["client"].close()
                return "refund"

            gpo.evaluate(names["task"], "end", model=close)
    sys.modules.pop("mine", None)
    shown = capsys.readouterr().out
    assert "Task('task': 16 train, 14 dev, 30 test" in shown
    assert "Result(complete" in shown
    assert "step 1 of 2" in shown
    assert names["result"].extra["method"] == "gpo with trajectory=Latest, edit_distance=linear"


def test_the_page_has_blocks_and_no_other_kind_of_code() -> None:
    assert len(blocks("python")) >= 9
    (table,) = blocks("toml")
    assert tomllib.loads(textwrap.dedent(table))["project"]["entry-points"]["gpo.trajectories"]
    assert set(re.findall(r"^```(\w+)$", PAGE.read_text(), flags=re.MULTILINE)) == {"python", "toml"}
