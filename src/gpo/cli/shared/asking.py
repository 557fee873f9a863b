"""Questions of `gpo init` on a terminal; without one, or with `--yes`, what cannot be decided is an error that names
the flag. Knows no file and no configuration."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from gpo.errors import ConfigError
from gpo.task.proposal.columns import Undecided, list_names
from gpo.text import printable


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a person where `asks`."""

    asks: bool

    @classmethod
    def of_terminal(cls, yes: bool) -> Asker:
        """One that asks where there is a terminal and `yes` was not given."""
        return cls(not yes and sys.stdin.isatty() and sys.stderr.isatty())

    def decide(self, find: Callable[[], str], check: Callable[[str], str], question: str) -> str:
        """What `find` finds; where it is `Undecided`, what a person answers and `check` takes. Raises `ConfigError`."""
        try:
            return find()
        except Undecided as open_:
            if not self.asks:
                flag = f"--{open_.key}"
                raise ConfigError(f"{flag}: {open_.why}; name it ({list_names(open_.names)})") from None
            _say(f"{open_.why}; {list_names(open_.names)}")
            return self._until(check, question)

    def ask(self, question: str, default: str) -> str:
        """A person's answer, `default` where nobody is asked."""
        if not self.asks:
            return default
        return str(typer.prompt(question, default=default, err=True)).strip()

    def _until(self, check: Callable[[str], str], question: str) -> str:
        while True:
            try:
                return check(str(typer.prompt(question, err=True)).strip())
            except ConfigError as error:
                _say(str(error))


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr)
