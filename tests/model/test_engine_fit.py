"""How an engine is set up: slots and context from the requests, the weights' header and the memory."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.model.local.engine_fit import LEAST_SLOTS, SLOTS, Needs, fit, memory, slot_context, slot_count
from gpo.model.local.gguf_header import Header, read_header

STRING, UINT32, ARRAY = 8, 4, 9


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def entry(key: str, value: str | int | list[int]) -> bytes:
    if isinstance(value, str):
        return text(key) + struct.pack("<I", STRING) + text(value)
    if isinstance(value, list):
        numbers = b"".join(struct.pack("<I", number) for number in value)
        return text(key) + struct.pack("<IIQ", ARRAY, UINT32, len(value)) + numbers
    return text(key) + struct.pack("<II", UINT32, value)


def gguf(path: Path, entries: dict[str, str | int | list[int]], magic: bytes = b"GGUF") -> Path:
    body = b"".join(entry(key, value) for key, value in entries.items())
    path.write_bytes(magic + struct.pack("<IQQ", 3, 0, len(entries)) + body)
    return path


QWEN: dict[str, str | int | list[int]] = {
    "general.architecture": "qwen2",
    "general.tags": [1, 2, 3],
    "qwen2.block_count": 24,
    "qwen2.context_length": 32768,
    "qwen2.embedding_length": 896,
    "qwen2.attention.head_count": 14,
    "qwen2.attention.head_count_kv": 2,
    "tokenizer.ggml.model": "gpt2",
}


def test_memory_of_a_token_by_hand(tmp_path: Path) -> None:
    # Heads of 896 / 14 = 64 numbers, a key and a value each, 2 heads kept, 2 bytes a number, 24 layers.
    assert read_header(gguf(tmp_path / "a.gguf", QWEN)) == Header(
        token_bytes=24 * 2 * (64 + 64) * 2, context=32768
    )


def test_heads_of_their_own_length(tmp_path: Path) -> None:
    own = {"qwen2.attention.key_length": 128, "qwen2.attention.value_length": 96, **QWEN}
    found = read_header(gguf(tmp_path / "a.gguf", own))
    assert found is not None
    assert found.token_bytes == 24 * 2 * (128 + 96) * 2


@pytest.mark.parametrize("missing", ["general.architecture", "qwen2.block_count", "qwen2.context_length"])
def test_a_header_that_says_too_little_is_none(missing: str, tmp_path: Path) -> None:
    entries = {key: value for key, value in QWEN.items() if key != missing}
    assert read_header(gguf(tmp_path / "a.gguf", entries)) is None


def test_what_is_no_gguf_is_none(tmp_path: Path) -> None:
    assert read_header(gguf(tmp_path / "a.gguf", QWEN, magic=b"NOPE")) is None
    assert read_header(tmp_path / "absent.gguf") is None


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_harm(data: bytes) -> None:
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile(suffix=".gguf") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, 7) + data)
        file.flush()
        read_header(Path(file.name))


def test_the_context_is_as_long_as_the_requests() -> None:
    assert slot_context(1300, 32768) == 1536, "the next multiple of 256"
    assert slot_context(100, 32768) == 1024, "at least"
    assert slot_context(9000, 8192) == 8192, "what the model was trained on"
    assert slot_context(None, 32768) == 4096


def test_slots_fit_into_a_quarter_of_the_memory() -> None:
    # 1 GiB of 4: 1024 tokens of 65,536 bytes are 64 MiB a slot.
    assert slot_count(32, 1024, 65_536, 4 * 2**30) == 16
    assert slot_count(8, 1024, 65_536, 4 * 2**30) == 8, "no more than wanted"
    assert slot_count(32, 32_768, 131_072, 2**30) == LEAST_SLOTS
    assert slot_count(32, 1024, 65_536, None) == 32


def test_an_engine_for_both_roles_has_what_the_greedier_needs(tmp_path: Path) -> None:
    task, optimizer = Needs(longest=1300), Needs(longest=5000, at_once=8)
    assert task.join(optimizer) == Needs(longest=5000, at_once=None)
    path = gguf(tmp_path / "a.gguf", QWEN)
    settings = fit(path, task)
    assert settings.context == 1536
    assert settings.slots <= SLOTS
    assert fit(path, optimizer).slots <= 8


def machine(root: Path, groups: str, limits: dict[str, str]) -> Path:
    """A machine's files: the control groups that a process is in, and what they allow."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, value in limits.items():
        file = root / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    return root


GIB = 2**30


@pytest.mark.parametrize(
    ("groups", "limits"),
    [
        ("0::/\n", {"memory.max": str(GIB)}),
        ("0::/job/step\n", {"memory.max": "max", "job/memory.max": str(GIB), "job/step/memory.max": "max"}),
        # In a container the name of the group may be the host's.
        ("0::/../docker/abc\n", {"memory.max": str(GIB)}),
        ("4:cpu:/\n3:memory,hugetlb:/a\n1:name=systemd:/\n", {"memory/a/memory.limit_in_bytes": str(GIB)}),
        (
            "3:memory:/a\n0::/\n",
            {"memory/memory.limit_in_bytes": str(GIB), "memory/a/memory.limit_in_bytes": str(2**63 - 4096)},
        ),
    ],
)
def test_the_memory_is_what_a_container_is_given(tmp_path: Path, groups: str, limits: dict[str, str]) -> None:
    assert memory(machine(tmp_path, groups, limits)) == GIB


@pytest.mark.parametrize("limit", ["max", "", "some", "0", str(2**63 - 4096)])
def test_no_limit_leaves_the_machines_memory(tmp_path: Path, limit: str) -> None:
    whole = memory(tmp_path / "nothing here")
    assert memory(machine(tmp_path, "0::/\nodd line\n:\n", {"memory.max": limit})) == whole
    assert whole is None or whole > 2**26
