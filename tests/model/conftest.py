"""Fixtures of the tests of the wire."""

from __future__ import annotations

import pytest

from gpo.extras import is_installed
from gpo.model.openai.fast_connection import VARIABLE


@pytest.fixture(params=["aiohttp", "pyreqwest"])
def http_client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets calls go over each of the HTTP clients in turn."""
    if request.param == "pyreqwest" and not is_installed("pyreqwest"):
        pytest.skip("needs pyreqwest (the extra fast)")
    monkeypatch.setenv(VARIABLE, request.param)
