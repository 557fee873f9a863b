"""The process that fuzzes: atheris (libFuzzer) mutates by coverage, and every failure is written down once.

Run by `python -m tests.fuzz`. It goes on after a failure; only a crash of the interpreter itself ends it.
"""

from __future__ import annotations

import importlib
import json
import mmap
import sys
import time
from pathlib import Path
from typing import Any


def main(name: str, seconds: float, corpus: Path, findings: Path, stats: Path) -> None:
    """Fuzz the target `name` for `seconds` of processor time; the corpus grows in `corpus`."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["gpo", "yaml"], enable_loader_override=False):
        from tests.fuzz.targets import target as by_name
    from tests.fuzz.check import check
    from tests.fuzz.kept import put

    target = by_name(name)
    counts = {"executions": 0, "cpu_seconds": 0.0}
    seen: set[str] = set()
    # What this holds matters when the interpreter itself crashes. Mapped: the system writes it whatever becomes of us.
    last = Last(stats.with_name("last"), target.longest)

    def finish() -> None:
        counts["cpu_seconds"] = round(time.process_time(), 1)
        stats.write_text(json.dumps(counts))

    def one(data: bytes) -> None:
        counts["executions"] += 1
        if counts["executions"] % 64 == 0 and seconds:
            finish()
            if time.process_time() > seconds:
                # libFuzzer has no way to be told to stop by processor time; what it learnt is on the disk already.
                raise KeyboardInterrupt
        last.keep(data)
        found = check(target, data)
        if found and found.place not in seen:
            seen.add(found.place)
            path = put(findings, data, f"{found.place.replace(' ', '-')}-")
            path.with_name(path.name + ".txt").write_text(found.story)
            print(f"FINDING {found.place}: {path}", file=sys.stderr, flush=True)

    tokens = corpus.parent / "tokens"
    tokens.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
    flags = [
        f"-max_len={target.longest}",
        f"-dict={tokens}",
        "-len_control=0",
        "-timeout=120",
        "-rss_limit_mb=3000",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one)
    try:
        atheris.Fuzz()
    finally:
        finish()


class Last:
    """The last input, in a file that outlives the process and costs no system call to write."""

    def __init__(self, path: Path, longest: int) -> None:
        path.write_bytes(bytes(longest + 4))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), 0)

    def keep(self, data: bytes) -> None:
        """Length first, in four bytes."""
        self._map[: len(data) + 4] = len(data).to_bytes(4, "big") + data

    @staticmethod
    def read(path: Path) -> bytes:
        """What `keep` was given last."""
        raw = path.read_bytes()
        return raw[4 : 4 + int.from_bytes(raw[:4], "big")]


def _escaped(token: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token.encode("utf-8", "surrogatepass"))


if __name__ == "__main__":
    name, seconds, corpus, findings, stats = sys.argv[1:]
    main(name, float(seconds), Path(corpus), Path(findings), Path(stats))
