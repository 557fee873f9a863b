"""The errors that GPO raises on purpose: one readable line each, and the exit code that belongs to it.

Whatever is not one of these is a bug. No message may hold a key, a header or a whole prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

LONGEST = 1500
"""Characters of an error."""

FOREIGN = (Exception, SystemExit)
"""What the code of a user or a package may end with: a `sys.exit()` in it is a failure, and no end of the run with the
code that it names."""


class GPOError(Exception):
    """Base of every error that GPO raises on purpose; `str(error)` is one line for a person, cut where it is long:
    names from data and servers can have any length."""

    exit_code = 1

    def __str__(self) -> str:
        line = super().__str__()
        return line if len(line) <= LONGEST else line[:LONGEST] + "…"


class ConfigError(GPOError):
    """A configuration, an argument or a data file is wrong; the line names the key, the row or the file."""

    exit_code = 2


class DataError(ConfigError):
    """A data file is wrong; the line names the file and the row."""


class ModelError(GPOError):
    """A model could not answer. `unsent`: the request never left this machine, so nobody can charge for it. `charged`:
    another call was answered on the way, to find out what the refusal is about."""

    unsent = False
    charged = False


class TransientModelError(ModelError):
    """The call may succeed when it is made again: a rate limit, an overload, a lost connection.

    `retry_after` is the number of seconds that the server asked for, or None.
    `status` is the HTTP status, or None when there was no response.
    `crowded`: a rate limit was met because too much was asked at once, which says nothing about this call.
    """

    crowded = False

    def __init__(self, message: str, *, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class PermanentModelError(ModelError):
    """The same call would fail again: a wrong key, an unknown model, a request that the server refuses.

    `scope` is "run" when every further call would fail too (wrong key, unknown model, no server), and
    "call" when only this request is at fault (context overflow, content filter).
    """

    def __init__(self, message: str, *, scope: str = "run", status: int | None = None) -> None:
        super().__init__(message)
        self.scope = scope
        self.status = status


class ResultSoFar(Protocol):
    """What an error tells of a `gpo.Result`, which is what it holds."""

    @property
    def status(self) -> str: ...
    @property
    def best_prompt(self) -> str: ...
    @property
    def extra(self) -> Mapping[str, Any]: ...
    def to_dict(self) -> dict[str, Any]:
        """As in `result.json`."""


class Stopped(GPOError):
    """Base of what ends an optimization early. `result` is how far it came, with the best prompt so far; None where it
    was no optimization."""

    result: ResultSoFar | None = None


class BudgetError(Stopped):
    """The budget does not cover the next call; what was paid for is saved."""

    exit_code = 3


class UnreadableReplies(Stopped):
    """No reply to the initial prompt could be read, so that no step could tell a better prompt from a worse one."""


class Interrupted(Stopped):
    """A person or the system asked the run to stop; what is finished is saved and the run can go on."""

    exit_code = 130


class RunError(GPOError):
    """A run directory cannot be used: in use by another process, damaged, or of another configuration."""
