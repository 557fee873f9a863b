"""Opens a program that does its own work in the place of the task model."""

from __future__ import annotations

from gpo.evaluation.own_work import OwnWorkModel
from gpo.model.factory import OpenModel
from gpo.model.layers.endpoint_limiter import EndpointLimiter, RoleQueue
from gpo.task.task import Task


def open_own_work(task: Task) -> OpenModel:
    """The program of `task` as a model. Its identity does not pin what a later version of it returns, so the user's
    store must not answer for it; what it costs nobody knows."""
    assert task.program is not None
    places = task.program.at_once
    return OpenModel(
        client=OwnWorkModel(task),
        queue=RoleQueue(EndpointLimiter(places), places),
        retry=None,
        cost=lambda tokens: None,
        shareable=False,
    )
