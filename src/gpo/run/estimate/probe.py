"""One tiny call of the optimizer model before anything else is paid: a wrong key or an unknown model ends a run there,
and not in its first step, when the dev split has been paid for.

The task model needs none: the first rows of dev are its own. Knows requests and journals, no wire: what a call turns
out to lack is found by the client, as with any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpo.errors import BudgetError, PermanentModelError
from gpo.model.model import Message, Model, Request
from gpo.optimizer.workbench import call_seed
from gpo.run.compose import compose
from gpo.run.layers.budget import Budget
from gpo.run.plan import Plan
from gpo.storage.journal import Journal
from gpo.storage.journal_schema import PROBE

_TEXT = "Reply with the word OK."


def probe_request(plan: Plan) -> Request | None:
    """The call that is tried first: as large as the largest that the method will make, with next to no words; None
    where it makes none, at an embedded model and a function, which refuse nothing, and where the task model is the same
    one: the first rows of dev show that it is there, and a parameter that it does not take ends no run."""
    needed = plan.tries_optimizer and plan.optimizer_model.remote and not _one_model(plan)
    asked = plan.calls(most=True).optimizer if needed else ()
    if not asked:
        return None
    return Request(
        messages=(Message("user", _TEXT),),
        temperature=plan.temperature,
        max_tokens=max(call.max_tokens for call in asked),
        n=max(call.n for call in asked),
        seed=call_seed(plan.seed, 0, PROBE) if plan.temperature > 0 else None,
        purpose=PROBE,
    )


def _one_model(plan: Plan) -> bool:
    task, optimizer = plan.task_model, plan.optimizer_model
    return task.queue.limiter is optimizer.queue.limiter and task.client.identity == optimizer.client.identity


async def probe(model: Model, request: Request, journal: Journal) -> None:
    """Ask `model`, whose answers are in `journal`, where nothing has been asked yet: a run that goes on pays for no
    second one. Raises what the model raises, unless it is about this call alone."""
    # A run that began without one has shown what it needs.
    if journal.has_calls and journal.get_call(request.key(model.identity)) is None:
        return
    try:
        await model.complete(request)
    except PermanentModelError as error:
        # A filter, or a reply that ended before it began: the endpoint is there, and takes such calls.
        if error.scope == "run":
            raise


async def try_optimizer(
    plan: Plan, journal: Journal, budget: Budget, note: Callable[[str], None] | None = None
) -> dict[str, Any] | None:
    """What `gpo optimize` would meet at the optimizer's endpoint, for a command that only scores: whether it is `ok`,
    why not (`obstacle`, `note` is told too), what it does not take (`left_out`) and the call's `usage`. None where
    there is nothing to try or the budget does not cover it."""
    request = probe_request(plan)
    if request is None:
        return None
    model = compose(plan.optimizer_model, "optimizer", journal=journal, budget=budget, note=note).journaled
    obstacle = ""
    try:
        await model.complete(request)
    except BudgetError:
        return None
    except PermanentModelError as error:
        obstacle = str(error) if error.scope == "run" else ""
    if obstacle and note:
        note(f"models.optimizer cannot be asked, gpo optimize would end there: {obstacle}")
    left_out = {"left_out": list(model.observed.left_out)} if model.observed.left_out else {}
    return {
        "ok": not obstacle,
        **({"obstacle": obstacle} if obstacle else {}),
        **left_out,
        "usage": model.usage(),
    }
