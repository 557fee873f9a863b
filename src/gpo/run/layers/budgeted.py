"""The layer that lets an attempt leave when the budget covers it, and tells the budget what became of it."""

from __future__ import annotations

from gpo.errors import ModelError, PermanentModelError, TransientModelError
from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Model, Reply, Request
from gpo.run.layers.budget import Budget


class BudgetedModel(ModelLayer):
    """Wraps `model` for one role: an attempt leaves only when `budget` covers the most that it may cost."""

    def __init__(self, model: Model, budget: Budget, role: str) -> None:
        super().__init__(model)
        self._budget = budget
        self._role = role

    async def complete(self, request: Request) -> Reply:
        """Answer `request`. Raises `BudgetError` and what the model raises."""
        amount = await self._budget.reserve(self._role, request)
        try:
            reply = await self._model.complete(request)
        except BaseException as error:
            if isinstance(error, ModelError) and _is_free(error):
                self._budget.release(amount)
            else:
                self._budget.lose(self._role, amount, request)
            raise
        self._budget.settle(self._role, amount, request, reply.usage)
        return reply


def _is_free(error: ModelError) -> bool:
    if error.unsent or error.charged:
        return error.unsent
    status = error.status if isinstance(error, TransientModelError | PermanentModelError) else None
    return status is not None and (400 <= status < 500 or status == 503)
