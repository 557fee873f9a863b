"""How the embedded engine is set up for a run: as many slots as the memory carries, each as long as the run needs.

It is a matter of sizes alone: the longest request in tokens, bytes a token, the machine's memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gpo.model.local.engine import EngineSettings
from gpo.model.local.gguf_header import read_header

SLOTS = 32
"""More gained nothing on two cores: `benchmarks/README.md`."""
LEAST_SLOTS = 4
DOUBLE_BELOW = 2
"""Slots at work from which on another one would gain less than it costs to compute a question a second time."""
STEP = 256
SHORTEST, USUAL = 1024, 4096
"""Tokens a slot: at least, and where nobody says how long the requests are."""
MEMORY_SHARE = 0.25
_TOKEN_BYTES = 131_072  # of a model whose header says nothing: an 8B with grouped-query attention


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a role asks of an engine: no request, reply included, has more than about `longest` tokens (None: nobody
    knows), and no more than `at_once` completions are ever asked for at once (None: as many as there is room for). With
    `embeds` it is asked for embeddings."""

    longest: int | None = None
    at_once: int | None = None
    embeds: bool = False

    def join(self, other: Needs) -> Needs:
        """What an engine needs that serves both."""
        longest = None if self.longest is None or other.longest is None else max(self.longest, other.longest)
        at_once = None if self.at_once is None or other.at_once is None else max(self.at_once, other.at_once)
        return Needs(longest=longest, at_once=at_once, embeds=self.embeds or other.embeds)


def fit(path: Path, needs: Needs) -> EngineSettings:
    """Settings for the weights at `path`. The context never exceeds what the model was trained on."""
    header = read_header(path)
    token_bytes = header.token_bytes if header else _TOKEN_BYTES
    context = slot_context(needs.longest, header.context if header else None)
    wanted = SLOTS if needs.at_once is None else max(LEAST_SLOTS, min(SLOTS, needs.at_once))
    slots = slot_count(wanted, context, token_bytes, memory())
    return EngineSettings(slots=slots, context=context, embeddings=needs.embeds)


def slot_context(longest: int | None, trained: int | None) -> int:
    """Tokens a slot: `longest` rounded up, within `SHORTEST` and what the model was `trained` on."""
    wanted = USUAL if longest is None else max(SHORTEST, -(-longest // STEP) * STEP)
    return min(wanted, trained) if trained else wanted


def slot_count(wanted: int, context: int, token_bytes: int, memory: int | None) -> int:
    """`wanted`, or as many as `MEMORY_SHARE` of `memory` (bytes; None: unknown) holds, `LEAST_SLOTS` at least."""
    if memory is None:
        return wanted
    room = int(memory * MEMORY_SHARE) // (context * token_bytes)
    return max(LEAST_SLOTS, min(wanted, room))


def memory(root: Path = Path("/")) -> int | None:
    """Bytes of memory that this process may use: the machine's, or less where a container or a job is given less; None
    where it cannot be told. `root` is where the machine's files are."""
    try:
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        physical = None
    known = [value for value in (physical, *_group_limits(root)) if value is not None and value > 0]
    return min(known, default=None)


def _group_limits(root: Path) -> Iterator[int | None]:
    """What Linux's control groups allow, of version 2 and of version 1, the group's own and all above it."""
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for line in groups.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if number == "0" and not controllers:
            top, file = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, file = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the name may be the host's, and its own group is at the top.
        here = [part for part in name.split("/") if part not in ("", ".", "..")]
        for depth in range(len(here) + 1):
            yield _limit(top.joinpath(*here[:depth], file))


def _limit(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # there is none, or it says "max"
        return None
