"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A fresh model server on loopback, answering with an echo until the test says otherwise."""
    with ModelServer() as running:
        yield running
