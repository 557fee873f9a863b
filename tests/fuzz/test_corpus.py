"""The kept corpus, replayed: what was once found stays fixed, and what was once covered still ends well."""

from __future__ import annotations

import gzip

import pytest

from tests.fuzz.check import check
from tests.fuzz.kept import CORPUS, kept
from tests.fuzz.targets import TARGETS
from tests.fuzz.targets.canned import CannedClient
from tests.fuzz.targets.replies import judge
from tests.fuzz.targets.target import Target

MOST_BYTES = 300_000


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_the_corpus_brings_nothing_but_our_own_errors(target: Target) -> None:
    found = []
    for data, name in [
        *((data, "a seed") for data in target.seeds()),
        *((path.read_bytes(), path.name) for path in kept(target.name)),
    ]:
        if finding := check(target, data):
            found.append(f"{name}: {finding.story}")
    assert not found, "\n".join(found)


def test_the_corpus_is_small_and_belongs_to_the_targets() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == {target.name for target in TARGETS}
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MOST_BYTES


def test_seeds_of_the_wire_reach_the_end() -> None:
    # A target that never gets as far as a reply finds nothing, however long it runs.
    good = b'{"choices": [{"message": {"content": "hi"}}]}'
    for model in (
        CannedClient(200, {}, good),
        CannedClient(200, {"Content-Encoding": "gzip"}, gzip.compress(good)),
    ):
        reply = judge(model)
        assert reply is not None
        assert reply.texts == ("hi",)


def test_a_fault_is_found() -> None:
    def broken(data: bytes) -> None:
        if data == b"slow":
            while True:
                pass
        raise KeyError(data)

    target = Target("broken", broken, list)
    assert (found := check(target, b"x")) is not None
    assert found.place.startswith("KeyError in")
    import tests.fuzz.check as module

    before, module.SECONDS = module.SECONDS, 0.05
    try:
        assert (found := check(target, b"slow")) is not None
    finally:
        module.SECONDS = before
    assert found.place.startswith("Hang in")
