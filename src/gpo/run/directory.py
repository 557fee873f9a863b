"""The run directory: what is in it, who may use it, and whether it fits the configuration.

Check configuration, data and models first, then `open`: nothing is made before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from gpo.config.masking import mask_config
from gpo.errors import RunError
from gpo.result.result import Result
from gpo.run.identity.config_diff import changed_keys, complete_config
from gpo.storage.atomic_write import encode_text, write_atomically
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.lock import RunLock
from gpo.storage.regular_file import PRIVATE_FOLDER, read_regular

State = Literal["fresh", "started", "complete"]

_LOCK = ".lock"
_CONFIG = "config"  # the key in the journal


class TakenError(RunError):
    """The folder holds a run of another configuration, or something else. `differs` says in which keys, "" where it is
    no run."""

    def __init__(self, message: str, differs: str = "") -> None:
        super().__init__(message)
        self.differs = differs


class RunDirectory:
    """`config.yaml`, `journal.sqlite`, `result.json`, `best_prompt.txt` and `best_template.json` under `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: RunLock | None = None
        self._journal: Journal | None = None

    @property
    def journal_path(self) -> Path:
        return self.path / "journal.sqlite"

    @property
    def result_path(self) -> Path:
        return self.path / "result.json"

    @property
    def best_prompt_path(self) -> Path:
        return self.path / "best_prompt.txt"

    @property
    def best_template_path(self) -> Path:
        return self.path / "best_template.json"

    @property
    def config_path(self) -> Path:
        return self.path / "config.yaml"

    def check(self, config: Mapping[str, Any]) -> State:
        """Whether there is a run to go on with. `config` is the resolved configuration as JSON values; add a
        digest of the data where its change must be noticed. Changes nothing.

        Raises `RunError` where the folder holds something else, or a run of another configuration.
        """
        recorded = self._recorded_config()
        if recorded is None:
            return "fresh"
        if changed := changed_keys(complete_config(recorded), config):
            shown = ", ".join(changed[:8]) + (f" and {len(changed) - 8} more" if len(changed) > 8 else "")
            raise TakenError(
                f"{self.path}: holds a run of another configuration; it differs in {shown}; restore that, or "
                "choose another run directory",
                shown,
            )
        result = self.read_result()
        return "complete" if result is not None and result.status == "complete" else "started"

    def layout(self) -> int | None:
        """The layout of the run in this folder, 1 where it does not say so; None where there is no run. Raises
        `RunError`."""
        recorded = self._recorded_config()
        return None if recorded is None else int(recorded.get("layout", 1))

    def open(self, config: Mapping[str, Any], config_text: str) -> Journal:
        """Make the folder if need be, keep others out, and open the journal; `close` ends it.

        `config` as for `check`; `config_text` is what `config.yaml` says, without secrets.
        """
        self.check(config)
        made = not self.path.exists()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RunError(
                f"{self.path}: cannot be created ({reason}); choose another run directory"
            ) from error
        try:
            return self._open(config, config_text)
        except BaseException:
            self.close()
            if made:
                self._remove_empty()
            raise

    def write_result(self, result: Result) -> None:
        """Write `best_prompt.txt`, `best_template.json` and `result.json`, each whole or not at all. Raises
        `RunError`."""
        write_atomically(self.best_prompt_path, encode_text(result.best_prompt), private=True)
        if template := result.extra.get("template"):
            text = json.dumps(template, ensure_ascii=True, indent=2)
            write_atomically(self.best_template_path, encode_text(f"{text}\n"), private=True)
        write_atomically(self.result_path, encode_text(result.to_json()), private=True)

    def read_result(self) -> Result | None:
        """The result, or None where there is none yet. Raises `RunError` where it is damaged or no regular file."""
        if not os.path.lexists(self.result_path):
            return None
        return Result.parse(read_regular(self.result_path), self.result_path)

    def close(self) -> None:
        """Close the journal and let other processes in. May be called more than once."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, config: Mapping[str, Any], config_text: str) -> Journal:
        self._lock = RunLock(self.path / _LOCK)
        self.check(config)  # again: another process may have begun a run before we had the lock
        self._journal = Journal(self.journal_path)
        if not self._journal.has_calls:
            self._journal.put_meta(_CONFIG, mask_config(config))
        text = encode_text(config_text)
        if not os.path.lexists(self.config_path) or read_regular(self.config_path) != text:
            write_atomically(self.config_path, text, private=True)
        return self._journal

    def _recorded_config(self) -> Mapping[str, Any] | None:
        """The configuration of the run in this folder; None where there is no run and one may begin."""
        try:
            if not self.path.exists():
                return None
            if not self.path.is_dir():
                raise TakenError(f"{self.path}: is a file; choose another run directory")
            if not os.path.lexists(self.journal_path):
                self._refuse_foreign()
                return None
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be read ({error.strerror}); choose another run directory"
            ) from error
        with JournalReader(self.journal_path) as reader:
            # A start that failed before the first answer (no server, say) must not block the next try.
            recorded = None if reader.empty or not reader.has_calls else reader.get_meta(_CONFIG)
        return recorded if isinstance(recorded, dict) else None

    def _refuse_foreign(self) -> None:
        names = {entry.name for entry in self.path.iterdir()}
        # Our lock is the sign of a start that was killed before its journal was there. Without it a lone
        # config.yaml is the user's own and must not be overwritten.
        leftovers = {name for name in names if name.startswith(".") and name.endswith(".tmp")}
        ours = {_LOCK, self.config_path.name, *leftovers} if _LOCK in names else set()
        if foreign := sorted(names - ours):
            raise TakenError(
                f"{self.path}: is not a run directory and not empty (it holds {foreign[0]!a}); choose "
                "another run directory"
            )

    def _remove_empty(self) -> None:
        """Take a folder away again that we made and could not use."""
        try:
            names = {entry.name for entry in self.path.iterdir()}
            if names <= {_LOCK}:
                (self.path / _LOCK).unlink(missing_ok=True)
                self.path.rmdir()
        except OSError:
            pass
