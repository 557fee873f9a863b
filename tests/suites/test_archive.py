"""A run directory that travels as bytes: all of it arrives, nothing else gets in, and its answers are kept."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from gpo.errors import RunError
from gpo.model.model import Message, Reply, Request, Usage
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore
from gpo.suites.execution.archive import merge_calls, pack, unpack


def fill(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_folder_arrives_as_it_was(tmp_path: Path) -> None:
    files = {"result.json": b"{}", "journal.sqlite": b"\x00" * 5000, "test-1/journal.sqlite": b""}
    sent = fill(tmp_path / "sent", **{name.replace("/", "__"): data for name, data in files.items()})
    unpack(pack(sent), tmp_path / "a" / "b" / "arrived")
    assert contents(tmp_path / "a" / "b" / "arrived") == files


def test_what_belongs_to_a_process_stays_and_a_cut_off_journal_goes_whole(tmp_path: Path) -> None:
    names = {"journal.sqlite": b"a", "journal.sqlite-wal": b"b", "journal.sqlite-shm": b"c", ".lock": b"d"}
    sent = fill(tmp_path / "sent", **names, **{".x.tmp": b"e"})
    (sent / "link").symlink_to("/etc/hostname")
    assert set(pack(sent)) == {"journal.sqlite", "journal.sqlite-wal"}


def test_the_new_files_replace_all_of_the_old_ones(tmp_path: Path) -> None:
    sent = fill(tmp_path / "sent", **{"journal.sqlite": b"new"})
    there = fill(tmp_path / "run", **{"journal.sqlite": b"old", "journal.sqlite-wal": b"old"})
    unpack(pack(sent), there)
    assert contents(there) == {"journal.sqlite": b"new"}
    assert {path.name for path in tmp_path.iterdir()} == {"sent", "run"}


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\..\\x", "c:x", "", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_changes(tmp_path: Path, name: str) -> None:
    there = fill(tmp_path / "run", keep=b"1")
    with pytest.raises(RunError, match="leads elsewhere"):
        unpack({"good": zlib.compress(b""), name: zlib.compress(b"x")}, there)
    assert contents(tmp_path) == {"run/keep": b"1"}


@pytest.mark.parametrize("names", [("\ud800",), ("x" * 300,), ("a", "a/b")])
def test_a_name_that_no_file_can_have_is_one_line_and_nothing_changes(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    there = fill(tmp_path / "run", keep=b"1")
    with pytest.raises(RunError, match="what was sent back cannot be written"):
        unpack(dict.fromkeys(names, zlib.compress(b"")), there)
    assert contents(tmp_path) == {"run/keep": b"1"}


@pytest.mark.parametrize("returns", [True, False])
def test_the_earlier_run_outlives_a_swap_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, returns: bool
) -> None:
    there = fill(tmp_path / "run", keep=b"1")
    rename, calls = Path.rename, 0

    def failing(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        # The earlier run goes aside, the new one does not come in; and the way back, where it `returns`.
        if calls == 2 or (calls == 3 and not returns):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(RunError) as error:
        unpack({"new": zlib.compress(b"2")}, there)
    if returns:
        assert contents(tmp_path) == {"run/keep": b"1"}
        assert list(tmp_path.iterdir()) == [there]
    else:
        kept = Path(str(error.value).rsplit("the earlier run is in ", 1)[1])
        assert contents(kept) == {"keep": b"1"}


def test_too_much_is_refused_on_both_sides(tmp_path: Path) -> None:
    sent = fill(tmp_path / "sent", a=b"x" * 60, b=b"x" * 60)
    assert len(pack(sent, limit=120)) == 2
    with pytest.raises(RunError, match="too much to send"):
        pack(sent, limit=119)
    with pytest.raises(RunError, match="were sent back"):
        unpack(pack(sent), tmp_path / "run", limit=119)
    assert not (tmp_path / "run").exists()


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="were sent back"):
        unpack({"a": zlib.compress(b"0" * 50_000_000)}, tmp_path / "run", limit=1000)


@pytest.mark.parametrize("content", [b"not compressed", zlib.compress(b"x" * 1000)[:-6]])
def test_damage_on_the_way_is_noticed(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RunError, match="damaged"):
        unpack({"a": content}, tmp_path / "run")
    assert contents(tmp_path) == {}


async def test_deterministic_answers_that_were_paid_for_come_into_the_store(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    journal = Journal(tmp_path / "run" / "journal.sqlite")
    wanted = {"paid": (0.0, "sent"), "sampled": (1.0, "sent"), "known": (0.0, "store")}
    keys = {}
    for text, (temperature, source) in wanted.items():
        request = Request(messages=(Message("user", text),), temperature=temperature)
        keys[text] = request.key("model")
        reply = Reply(texts=(text,), usage=Usage(prompt_tokens=3), call=keys[text], source=source)  # type: ignore[arg-type]
        await journal.put_call("task", request, reply, key=keys[text], started=0.0)
    journal.close()
    store = SharedStore.open(tmp_path / "store.sqlite", warn=pytest.fail)
    assert store is not None
    assert merge_calls(tmp_path / "run", store) == 1
    store.close()
    store = SharedStore.open(tmp_path / "store.sqlite", warn=pytest.fail)
    assert store is not None
    found = {text: store.get(key) for text, key in keys.items()}
    store.close()
    assert found["sampled"] is found["known"] is None
    assert found["paid"] is not None
    assert (found["paid"].text, found["paid"].usage.prompt_tokens) == ("paid", 3)
