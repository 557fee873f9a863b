"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from gpo.paths import home
from tests.support import forked
from tests.support.server import ModelServer

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("gpo", deadline=None)
settings.load_profile("gpo")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Several processes for the whole default suite alone, which spends half of its time waiting for others.

    Picked tests would wait for the workers to start, and slow ones load models that fill the cores by themselves.
    """
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    cores = os.cpu_count() or 1
    return min(cores, 4) if whole and "not slow" in config.option.markexpr and cores > 1 else 0


def pytest_sessionfinish() -> None:
    """Let the process go that started programs for the tests."""
    forked.shut_down()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A fresh model server on loopback, answering with an echo until the test says otherwise."""
    with ModelServer() as running:
        yield running


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call store of each test's own: a port that an earlier test's server had would bring back its answers.

    What was downloaded is shared with the user's own folder.
    """
    own, users = tmp_path_factory.mktemp("home"), home()
    for name in ("weights", "hashes", "fastembed"):
        (users / name).mkdir(parents=True, exist_ok=True)
        (own / name).symlink_to(users / name, target_is_directory=True)
    monkeypatch.setenv("GPO_HOME", str(own))
