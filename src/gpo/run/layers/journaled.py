"""A model whose answers come from the journal where they are known, and go into it where they are not.

This is all there is to resuming a run: the loop runs again and asks the same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from gpo.errors import PermanentModelError, TransientModelError
from gpo.model.layers.layer import ModelLayer
from gpo.model.model import Model, Reply, Request
from gpo.model.prices import Cost
from gpo.model.tally import Tally
from gpo.run.layers.observed import Observed
from gpo.run.layers.single_flight import Flight, SingleFlight
from gpo.run.layers.unrecorded import UNRECORDED, Unrecorded
from gpo.storage.codec import pack_waiting
from gpo.storage.journal import Journal
from gpo.storage.journal_reader import JournalReader
from gpo.storage.shared_store import SharedStore


class JournaledModel(ModelLayer):
    """Wraps `model` for one `role` ("task", "optimizer", "judge"). An answer it returns is in the journal.

    Deterministic calls (temperature 0) are looked up in `shared` before they are sent and put there after, but for
    replies that were cut and those of an endpoint that does not take the temperature, which are sampled;
    leave `shared` out for a model whose identity does not pin its answers, such as a Python callable.
    `flights` are the calls on their way, by key, of all models of the run: what two roles ask alike is sent once.
    `note` is told once what an endpoint does not take. `fork` is the journal of another run, whose answers to the same
    calls, sampled ones too, are taken over. `unrecorded` hears of every answer before and after it is recorded.
    """

    def __init__(
        self,
        model: Model,
        journal: Journal,
        role: str,
        shared: SharedStore | None = None,
        *,
        flights: SingleFlight[Reply] | None = None,
        cost: Cost | None = None,
        fork: JournalReader | None = None,
        note: Callable[[str], None] | None = None,
        unrecorded: Unrecorded | None = None,
    ) -> None:
        super().__init__(model)
        self._journal = journal
        self._role = role
        self._shared = shared
        self._flights = SingleFlight[Reply]() if flights is None else flights
        self._cost = cost
        self._fork = fork
        self._seen: set[bytes] = set()
        self._unrecorded = Unrecorded() if unrecorded is None else unrecorded
        # What earlier processes paid for and could not record belongs to what this run used.
        self._tally = Tally()
        for other, usage in self._unrecorded.earlier:
            if other == role:
                self._tally = self._tally.plus(Reply(texts=(), usage=usage))
        self._replayed = 0
        self.observed = Observed(role, note)

    @property
    def tally(self) -> Tally:
        """What the calls asked for so far used, each counted once and as it was first answered: the same
        numbers whether or not the run was interrupted."""
        return self._tally

    @property
    def replayed(self) -> int:
        """Calls that this process found in the journal of an earlier one."""
        return self._replayed

    def usage(self) -> dict[str, int | float | None]:
        """calls, cached, prompt_tokens, completion_tokens, usd (None where unknown), reasoning_tokens, as in
        `result.json`."""
        tally = self._tally
        return {
            "calls": tally.calls,
            "cached": tally.cached,
            "prompt_tokens": tally.prompt_tokens,
            "completion_tokens": tally.completion_tokens,
            "usd": self._cost(tally) if self._cost else None,
            "reasoning_tokens": tally.reasoning_tokens,
        }

    async def complete(self, request: Request) -> Reply:
        """Answer from the journal, the shared store, a call under way, or the model. Raises what the model
        raises, and `RunError` where the answer cannot be recorded."""
        key = request.key(self.identity)
        flights = self._flights
        if key not in flights:
            recorded = self._journal.get_call(key)
            if recorded is not None:
                if recorded.role == self._role and self._count(key, request, recorded.reply):
                    self._replayed += 1
                return recorded.reply
            if (refused := self._journal.refusal(key)) is not None:
                raise PermanentModelError(refused, scope="call")
        return await flights.join(key, lambda flight: self._fetch(key, request, flight))

    def count_recorded(self, keys: Iterable[str]) -> None:
        """Count calls of an earlier process as asked for and answered. Most answers are not read for it: one completion
        that ended by itself says nothing more than what it used."""
        calls = cached = prompt = completion = reused = saved_prompt = saved_completion = 0
        for key in keys:
            use = self._journal.recorded[key]
            digest = _digest(key)
            if use.role != self._role or digest in self._seen:
                continue
            self._replayed += 1
            if not use.plain:
                for call in self._journal.calls([key]):
                    self._count(key, call.request, call.reply)
                continue
            self._seen.add(digest)
            self.observed.texts += 1
            if use.source == "store":
                cached += 1
                saved_prompt += use.prompt_tokens
                saved_completion += use.completion_tokens
            else:
                calls += 1
                prompt += use.prompt_tokens
                completion += use.completion_tokens
                reused += use.cached_tokens
        self._tally += Tally(
            calls=calls,
            cached=cached,
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=reused,
            saved_prompt_tokens=saved_prompt,
            saved_completion_tokens=saved_completion,
        )

    async def _fetch(self, key: str, request: Request, flight: Flight[Reply]) -> Reply:
        shared = self._shared if request.temperature == 0 else None
        reply = self._find_reused(key) or (shared.get(key) if shared else None)
        if reply is not None and self._unrecorded.find(key):
            # This run's own, of a process whose journal failed: the store has kept what was paid for, and it has been
            # counted since this process began.
            self._journal.put_meta(UNRECORDED, self._unrecorded.to_json())
            self._seen.add(bytes.fromhex(key))
            reply = replace(reply, source="sent")
        if reply is None:
            reply = replace(await self._send(key, request), call=key, source="sent")
        # From here on the answer is paid for: it is recorded even if nobody waits for it any more.
        flight.landed = True
        # Counted back from its end: a call may wait for its turn much longer than it takes.
        started = self._journal.now() - (reply.seconds if reply.source == "sent" else 0.0)
        self._count(key, request, reply)
        if reply.source == "sent":
            self._unrecorded.add(key, self._role, reply.usage)
        packed: bytes | None = None
        try:
            packed = await pack_waiting(reply)
            await self._journal.put_call(self._role, request, reply, key=key, started=started, packed=packed)
            self._unrecorded.remove(key)
        finally:
            # After the journal: a process killed in between would find its own call in the store and take it
            # for another run's. Also where the journal failed: the answer is paid for.
            if shared and reply.source == "sent" and _is_kept(reply):
                shared.put(key, reply, await pack_waiting(reply) if packed is None else packed)
        return reply

    def _find_reused(self, key: str) -> Reply | None:
        recorded = self._fork.get_call(key) if self._fork else None
        return replace(recorded.reply, source="store") if recorded else None

    async def _send(self, key: str, request: Request) -> Reply:
        try:
            return await self._model.complete(request)
        except (TransientModelError, PermanentModelError) as error:
            data = {"role": self._role, "purpose": request.purpose, "call": key, "error": str(error)}
            self._journal.put_event("failure", data)
            if (
                self._role in ("task", "judge")
                and isinstance(error, PermanentModelError)
                and error.scope == "call"
            ):
                # The scorer leaves the example out and goes on: a replay must do the same.
                await self._journal.put_refusal(key, str(error))
            raise

    def _count(self, key: str, request: Request, reply: Reply) -> bool:
        """Whether `key` was new."""
        digest = _digest(key)
        if digest in self._seen:
            return False
        self._seen.add(digest)
        self._tally = self._tally.plus(reply)
        self.observed.see(request, reply)
        return True


def _is_kept(reply: Reply) -> bool:
    return "temperature" not in reply.left_out and not any(reply.cut)


def _digest(key: str) -> bytes:
    """Half the memory of the key, which is hex digits unless someone else wrote the journal."""
    try:
        return bytes.fromhex(key)
    except ValueError:
        return key.encode("utf-8", "surrogatepass")
