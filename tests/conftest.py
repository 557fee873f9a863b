"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.server import ModelServer

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("gpo", deadline=None)
settings.load_profile("gpo")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A fresh model server on loopback, answering with an echo until the test says otherwise."""
    with ModelServer() as running:
        yield running
