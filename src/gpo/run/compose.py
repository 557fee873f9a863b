"""The layers of a role's calls, and their order. To compose changes nothing: what is opened can be composed again.

    the scorer, or the search
      │
    CompleteNModel    asks for the completions that one call left out
      │               (here stands the meter of an equal budget, so that each of them counts)
    JournaledModel    what is known comes from the journal, the user's store or another run; what is new goes into it
      │
    StoppableModel    an error that ends the run waits for the other calls that are paid for
      │
    RetryingModel     a passing failure is tried again; who waits for that takes up no place
      │
    LimitedModel      each attempt waits in the role's queue for a place at its endpoint
      │
    BudgetedModel     each attempt leaves only when the caps cover the most that it may cost
      │
    AnswerOnlyModel   what a model thought is taken off its answer
      │
    the client        sends the attempt

What a layer does stands in its file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gpo.model.factory import OpenModel, RoleName
from gpo.model.layers.answer_only import AnswerOnlyModel
from gpo.model.layers.complete_n import CompleteNModel
from gpo.model.layers.limits import LimitedModel
from gpo.model.layers.retry import RetryingModel
from gpo.model.model import Model, Reply
from gpo.run.layers.budget import Budget
from gpo.run.layers.budgeted import BudgetedModel
from gpo.run.layers.journaled import JournaledModel
from gpo.run.layers.shutdown import StoppableModel
from gpo.run.layers.single_flight import SingleFlight
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.shared_store import SharedStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The layers that send: ask `model`. `limited` has gauges; `retrying` counts, None: an attempt is all there is."""

    model: Model
    limited: LimitedModel
    retrying: RetryingModel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleModel:
    """A role's model with all its layers: ask `model`. `journaled` knows what its calls used."""

    model: Model
    journaled: JournaledModel
    sending: Sending

    @property
    def retries(self) -> int:
        """Attempts that were made again."""
        retrying = self.sending.retrying
        return retrying.retries if retrying else 0


def compose(
    opened: OpenModel,
    role: RoleName,
    *,
    journal: Journal,
    budget: Budget,
    shared: SharedStore | None = None,
    fork: JournalReader | None = None,
    flights: SingleFlight[Reply] | None = None,
    note: Callable[[str], None] | None = None,
) -> RoleModel:
    """All layers around `opened` for one run, whose `budget` and `journal` these are. `shared` is the user's store,
    `fork` another run's journal; roles with the same `flights` send what they ask alike once. `note` is told, once,
    what an endpoint does not take and that it is still loading."""
    sending = compose_sending(opened, lambda client: BudgetedModel(client, budget, role), note)
    journaled = JournaledModel(
        StoppableModel(sending.model, budget.shutdown),
        journal,
        role,
        shared if opened.shareable else None,
        flights=flights,
        cost=opened.cost,
        fork=fork,
        note=note,
        unrecorded=budget.unrecorded,
    )
    return RoleModel(model=CompleteNModel(journaled), journaled=journaled, sending=sending)


def compose_sending(
    opened: OpenModel,
    attempt: Callable[[Model], Model] | None = None,
    note: Callable[[str], None] | None = None,
) -> Sending:
    """The layers that send, for a call that nobody records. `attempt` puts a layer around each attempt; `note` is told
    that a server is still loading."""
    client = AnswerOnlyModel(opened.client)
    limited = LimitedModel(attempt(client) if attempt else client, opened.queue)
    if opened.retry is None:
        return Sending(model=limited, limited=limited, retrying=None)
    retrying = RetryingModel(limited, opened.retry, again=limited.again, say=note)
    return Sending(model=retrying, limited=limited, retrying=retrying)
