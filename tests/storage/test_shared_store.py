"""The user's store of calls: several processes, and homes where it cannot be."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from gpo.model.model import Reply, Usage
from gpo.paths import home
from gpo.storage import shared_store
from gpo.storage.shared_store import SharedStore
from tests.run.support import unprivileged
from tests.support import forked

PROCESS = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from gpo.model.model import Reply
    from gpo.storage.shared_store import SharedStore

    def refuse(line):
        raise SystemExit(line)

    store = SharedStore.open(Path(sys.argv[1]), warn=refuse)
    for i in range(400):
        store.put(f"{sys.argv[2]}-{i}", Reply(texts=("own",)))
        store.put(f"shared-{i}", Reply(texts=(sys.argv[2],)))
        store.get(f"shared-{i}")
    store.close()
    """
)


def test_several_processes_share_it_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.sqlite"
    names = [str(i) for i in range(4)]
    children = [forked.start(PROCESS, path, name) for name in names]
    assert [child.communicate(timeout=60)[1] for child in children] == [""] * 4
    assert [child.returncode for child in children] == [0] * 4
    store = SharedStore.open(path, warn=pytest.fail)
    assert store is not None
    for i in range(400):
        assert all(store.get(f"{name}-{i}") is not None for name in names)
        found = store.get(f"shared-{i}")
        assert found is not None
        assert found.text in names
    store.close()


def get_soon(store: SharedStore, key: str) -> Reply:
    deadline = time.monotonic() + 10
    while (found := store.get(key)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_an_answer_is_there_at_once_and_soon_for_other_processes(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    here, there = (SharedStore.open(path, warn=pytest.fail) for _ in range(2))
    assert here is not None
    assert there is not None
    here.put("a", Reply(texts=("first",)))
    here.put("a", Reply(texts=("second",)))
    own = here.get("a")
    assert own is not None
    assert (own.text, own.source, own.call) == ("first", "store", "a")
    assert get_soon(there, "a") == own
    for store in (here, there):
        store.close()


def test_the_first_answer_stays_when_memory_has_forgotten_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_store, "_FRESH", -1.0)
    path = tmp_path / "store.sqlite"
    here, there = (SharedStore.open(path, warn=pytest.fail) for _ in range(2))
    assert here is not None
    assert there is not None
    here.put("a", Reply(texts=("first",)))
    found = get_soon(there, "a")
    here.put("a", Reply(texts=("second",)))
    assert here.get("a") == found
    for store in (here, there):
        store.close()


def test_an_answer_comes_back_whole_and_marked(tmp_path: Path) -> None:
    usage = Usage(prompt_tokens=3, completion_tokens=2, cached_tokens=1)
    given = Reply(texts=("a\x00\ud800", "b"), finish_reasons=("stop", "length"), usage=usage, seconds=2.5)
    for _ in range(2):
        store = SharedStore.open(tmp_path / "store.sqlite", warn=pytest.fail)
        assert store is not None
        store.put("k", given)
        store.close()
        store.close()
    store = SharedStore.open(tmp_path / "store.sqlite", warn=pytest.fail)
    assert store is not None
    assert store.get("k") == Reply(
        texts=given.texts,
        finish_reasons=given.finish_reasons,
        usage=usage,
        seconds=2.5,
        call="k",
        source="store",
    )
    assert store.get("other") is None
    store.close()


def test_a_home_that_cannot_be_written_is_a_warning() -> None:
    warnings: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with unprivileged():
            assert SharedStore.open(folder / "store.sqlite", warn=warnings.append) is None
            assert SharedStore.open(folder / "gpo" / "store.sqlite", warn=warnings.append) is None
    assert len(warnings) == 2
    assert all("going on without the store" in line and "GPO_HOME" in line for line in warnings)


def test_a_damaged_store_is_a_warning_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    noise = random.Random(3).randbytes(9000)
    path.write_bytes(noise)
    warnings: list[str] = []
    assert SharedStore.open(path, warn=warnings.append) is None
    assert len(warnings) == 1
    assert "damaged; delete it" in warnings[0]
    assert path.read_bytes() == noise


def test_damage_inside_is_one_warning_and_then_silence(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = SharedStore.open(path, warn=pytest.fail)
    assert store is not None
    for i in range(200):
        store.put(f"k{i}", Reply(texts=("text " * 100,)))
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + random.Random(3).randbytes(len(whole) - 8192))
    warnings: list[str] = []
    store = SharedStore.open(path, warn=warnings.append)
    if store is not None:
        assert [store.get(f"k{i}") for i in range(200)].count(None) > 0
        store.put("new", Reply(texts=("x",)))
        store.close()
    assert len(warnings) == 1


def test_the_home_folder_follows_the_platform_and_gpo_home_wins(tmp_path: Path) -> None:
    user = Path.home()
    assert home({"GPO_HOME": str(tmp_path)}, "linux") == tmp_path
    assert home({"GPO_HOME": "~/x"}, "darwin") == user / "x"
    assert home({}, "linux") == user / ".cache" / "gpo"
    assert home({"XDG_CACHE_HOME": str(tmp_path)}, "linux") == tmp_path / "gpo"
    assert home({"XDG_CACHE_HOME": "relative"}, "linux") == user / ".cache" / "gpo"
    assert home({}, "darwin") == user / "Library" / "Caches" / "gpo"
    assert home({"LOCALAPPDATA": str(tmp_path)}, "win32") == tmp_path / "gpo"
    assert home({"GPO_HOME": ""}, "linux") == user / ".cache" / "gpo"


def test_the_default_place_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "GPO_HOME", str(tmp_path / "mine"))
    store = SharedStore.open(warn=pytest.fail)
    assert store is not None
    store.close()
    assert (tmp_path / "mine" / "store.sqlite").is_file()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("reply", b"[[1],[2]]"),
        ("reply", b'[[],["stop"]]'),
        ("reply", "text"),
        ("prompt_tokens", "many"),
        ("seconds", b"x"),
        ("checksum", 5),
    ],
)
def test_a_poisoned_entry_is_a_miss_with_one_warning_and_is_replaced(
    tmp_path: Path, column: str, value: object
) -> None:
    path = tmp_path / "store.sqlite"

    def opened(warn: object) -> SharedStore:
        store = SharedStore.open(path, warn=warn)  # type: ignore[arg-type]
        assert store is not None
        return store

    store = opened(pytest.fail)
    for key in ("a", "b", "good"):
        store.put(key, Reply(texts=("yes",)))
    store.close()
    connection = sqlite3.connect(path)
    with connection:
        checksum = "" if column == "checksum" else ", checksum = NULL"
        connection.execute(f"UPDATE calls SET {column} = ?{checksum} WHERE key != 'good'", (value,))
    connection.close()
    warnings: list[str] = []
    store = opened(warnings.append)
    assert (store.get("a"), store.get("b"), store.get("a")) == (None, None, None)
    assert store.get("good") is not None
    assert len(warnings) == 1
    assert "asked for again" in warnings[0]
    store.put("a", Reply(texts=("anew",)))
    store.close()
    store = opened(pytest.fail)
    found = store.get("a")
    assert found is not None
    assert found.text == "anew"
    store.close()


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.sqlite"
    store = SharedStore.open(path, warn=pytest.fail)
    assert store is not None
    store.put("a", Reply(texts=("yes",)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    store.close()
