"""The garbage collector is seldom at work during a run, and afterwards as it was before."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from gpo.run.gc_tuning import collect_seldom


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield
    gc.set_threshold(*before)


def test_within_a_block_it_is_seldom_and_looks_at_nothing_from_before() -> None:
    with collect_seldom():
        assert gc.get_threshold()[0] > 10_000
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (701, 11, 12)
    assert gc.get_freeze_count() == 0


def test_an_error_in_the_block_restores_it() -> None:
    with pytest.raises(RuntimeError), collect_seldom():
        raise RuntimeError
    assert gc.get_threshold() == (701, 11, 12)


def test_the_last_of_overlapping_blocks_restores_it() -> None:
    first, second = collect_seldom(), collect_seldom()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] > 10_000
    second.__exit__(None, None, None)
    assert gc.get_threshold() == (701, 11, 12)
    assert gc.get_freeze_count() == 0


def test_blocks_of_many_threads_leave_it_as_it_was() -> None:
    ready = threading.Barrier(8)

    def work() -> None:
        ready.wait()
        for _ in range(300):
            with collect_seldom():
                assert gc.get_threshold()[0] > 10_000

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.get_threshold() == (701, 11, 12)
    assert gc.get_freeze_count() == 0
