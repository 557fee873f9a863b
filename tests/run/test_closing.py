"""However a run ends, its models are closed: also where it does not begin, or was complete before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import RunError
from gpo.model.model import Model, Reply, Request
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.storage.lock import RunLock
from tests.reliability.support import landscape_server, plan
from tests.support.server import ModelServer


class Closing:
    """Around a model: notes that it was closed."""

    def __init__(self, model: Model) -> None:
        self.model, self.closed = model, False
        self.identity = model.identity

    async def complete(self, request: Request) -> Reply:
        return await self.model.complete(request)

    async def aclose(self) -> None:
        self.closed = True
        await self.model.aclose()


def made(server: ModelServer, folder: Path, **sections: Any) -> tuple[Run, list[Closing]]:
    planned = plan(server, folder, **sections)
    task, optimizer = planned.task_model, planned.optimizer_model
    layers = [Closing(task.client), Closing(optimizer.client)]
    planned = replace(
        planned,
        task_model=replace(task, client=layers[0]),
        optimizer_model=replace(optimizer, client=layers[1]),
    )
    return Run(planned, RunDirectory(folder / "run"), use_shared_store=False), layers


async def test_the_models_of_a_run_are_closed_at_its_end_and_where_nothing_is_left_to_do(
    tmp_path: Path,
) -> None:
    with landscape_server() as server:
        for complete in (False, True):
            run, models = made(server, tmp_path)
            assert (run.directory.read_result() is not None) == complete
            await run.execute()
            assert [model.closed for model in models] == [True, True]


async def test_they_are_closed_where_the_directory_cannot_be_used(tmp_path: Path) -> None:
    with landscape_server() as server:
        run, models = made(server, tmp_path)
        (tmp_path / "run").mkdir()
        lock = RunLock(tmp_path / "run" / ".lock")
        with pytest.raises(RunError):
            await run.execute()
        assert [model.closed for model in models] == [True, True]
        lock.release()
        run, models = made(server, tmp_path)
        await run.execute()
        run, models = made(server, tmp_path, seed=7)
        with pytest.raises(RunError, match="another configuration"):
            await run.execute()
        assert [model.closed for model in models] == [True, True]
