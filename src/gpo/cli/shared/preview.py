"""What `gpo optimize` shows without a call: what the run may cost, and what it would send first."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpo.errors import ConfigError
from gpo.text import printable

if TYPE_CHECKING:
    from gpo.config.schema import Config
    from gpo.model.factory import OpenModel
    from gpo.run.plan import Plan
    from gpo.run.start.first_calls import FirstCall


@dataclass(frozen=True, slots=True)
class Preview:
    """Of one configuration; `flag` is how it was asked for. Opens no model, needs no key, fetches nothing."""

    flag: str
    config: Config
    base_dir: Path
    data_dir: Path | None
    few: int | None

    def print_estimate(self, *, as_json: bool) -> None:
        """What the run may cost, on stdout. Raises `ConfigError`."""
        from gpo.run.estimate.describe import lines
        from gpo.run.estimate.estimate import estimate
        from gpo.run.start.first_calls import FirstCalls

        plan = self._plan(FirstCalls(self.config).models)
        found = estimate(plan)
        if as_json:
            _dump(found.to_dict())
            return
        for line in lines(found, plan.budget):
            print(line)

    def print_first_calls(self, *, as_json: bool) -> None:
        """The first task prompt and the first meta-prompt as they would be sent, on stdout. Raises `ConfigError`."""
        import asyncio

        from gpo.run.start.first_calls import FirstCalls

        first = FirstCalls(self.config)
        calls = asyncio.run(first.find(self._plan(first.models)))
        if as_json:
            _dump([call.to_dict() for call in calls])
            return
        for call in calls:
            _print_call(call)
        print(_NOT_KNOWN, file=sys.stderr)

    def _plan(self, models: Mapping[str, OpenModel]) -> Plan:
        from gpo import paths
        from gpo.model.factory import check_settings
        from gpo.run import plan
        from gpo.task.load import is_here

        data_dir = self.data_dir or paths.data_dir()
        data = self.config.task.data
        if isinstance(data, str) and not is_here(data, self.base_dir, data_dir):
            raise ConfigError(
                f"task.data: the rows of {data} are not on this machine, and {self.flag} fetches nothing; the first "
                "run fetches them, or name their folder with --data-dir"
            )
        for role, settings in self.config.models.all_roles().items():
            if role == "task" and self.config.task.identity:
                continue  # a program that does its own work takes its place
            check_settings(settings, role=role, base_dir=self.base_dir, keys=False)
        return plan.assemble(
            self.config, base_dir=self.base_dir, data_dir=data_dir, models=models, few=self.few
        )


_NOT_KNOWN = 'Nothing was sent. What models reply is not known yet: "(a reply)" stands for it, and is scored.'


_FIRST = {"task": "first task prompt", "judge": "first call of the judge"}


def _print_call(call: FirstCall) -> None:
    asked = call.request
    if asked.purpose == "program":
        print(printable(f"--- first run of the program {call.model.removeprefix('python/')}"))
        given = json.dumps(json.loads(asked.prompt or "{}"), indent=2, ensure_ascii=False)
        print(f"{printable(given, newlines=True)}\n")
        return
    what = _FIRST.get(call.role, f"first call for {asked.purpose or 'a reply'}")
    if call.role == "optimizer" and asked.purpose == "candidates":
        what = "first meta-prompt"
    settings = f"temperature {asked.temperature:g}, at most {asked.max_tokens} tokens"
    many = f", {asked.n} replies" if asked.n > 1 else ""
    print(printable(f"--- {what}, to {call.model} ({settings}{many})"))
    for turn in asked.messages:
        print(f"{turn.role}:")
        print(printable(turn.content, newlines=True))
    if asked.prompt is not None:
        print(printable(asked.prompt, newlines=True))
    print()


def _dump(value: object) -> None:
    json.dump(value, sys.stdout, ensure_ascii=True, indent=2)
    print()
