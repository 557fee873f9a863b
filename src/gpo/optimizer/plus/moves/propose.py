"""The candidates of a step, by every move: what the optimizer model writes, and what needs no model.

Whatever the optimizer model says, a step gets its candidates: edits and demonstrations stand in for replies that are no
prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gpo.config.plus import PlusConfig
from gpo.errors import BudgetError, ModelError
from gpo.evaluation.outcome import Outcome
from gpo.model.model import Message, Reply
from gpo.optimizer.candidates import Candidate, Guard, read_candidate
from gpo.optimizer.coordinates.view import project
from gpo.optimizer.metaprompt import MetaPromptSettings, write_meta_prompt
from gpo.optimizer.parts.edit_distance import count_changed_words
from gpo.optimizer.parts.refinement import Generation
from gpo.optimizer.parts.trajectory import Recency, Relevance, Shown
from gpo.optimizer.plus.material import SearchMaterial
from gpo.optimizer.plus.moves.demonstrations import in_part, move_part
from gpo.optimizer.plus.moves.edits import edit
from gpo.optimizer.plus.moves.reflection import write_reflection
from gpo.optimizer.plus.moves.shares import Move, share_out
from gpo.optimizer.plus.moves.trial import MoveTrial
from gpo.optimizer.plus.plan import FINALISTS
from gpo.optimizer.plus.table import Entry
from gpo.optimizer.published.base import run_together, write_turn
from gpo.optimizer.state import Step
from gpo.optimizer.workbench import Workbench
from gpo.task.demonstrations import Demonstration
from gpo.task.program.parts import part_of, with_part

TRIES = 12
"""Of one move, until it yields a prompt that is new."""
LEAST = {"meta-prompt": 6, "reflection": 3}
"""Candidates of a move of the optimizer model before it is judged by whether they win."""
NO_EMBEDDER = (
    "no embedder can be opened, so the meta-prompt shows the latest prompts and not the most similar ones"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate, and the entry for the pool where it was not rejected."""

    candidate: Candidate
    entry: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What candidates are made from: the entry, its number in the pool, and what became of it on dev."""

    entry: Entry
    number: int
    outcomes: Sequence[Outcome] = ()


@dataclass(frozen=True, slots=True)
class Proposed:
    """The drafts of a step, with what the meta-prompt was and showed."""

    drafts: tuple[Draft, ...]
    shown: Shown
    meta_prompt: tuple[Message, ...]


class CandidateSource(Protocol):
    """What a search has its candidates from: it is given `material`, and the `trials` of what a model
    writes are told of its candidates."""

    material: SearchMaterial
    trials: Mapping[str, MoveTrial]
    warnings: list[str]
    unusable: int
    replies: int

    def know(self, entry: Entry) -> None:
        """A prompt like `entry` is not proposed again."""

    async def propose(self, step: Step, parent: Parent, limit: int | None, count: int) -> Proposed:
        """Up to `count` candidates."""


class Proposer:
    """Proposes the candidates of each step, of `material` and of what the optimizer model writes. `rank` orders drafts
    by a signal, where there is one."""

    def __init__(
        self,
        bench: Workbench,
        guard: Guard,
        settings: PlusConfig,
        *,
        k: int,
        enforce: bool,
        meta_prompt: MetaPromptSettings,
        material: SearchMaterial,
        rank: Callable[[Entry], float] | None = None,
    ) -> None:
        self.trials: Mapping[str, MoveTrial] = {move: MoveTrial(least) for move, least in LEAST.items()}
        self.warnings: list[str] = []
        self.unusable, self.replies = 0, 0
        self._bench, self._guard, self._settings = bench, guard, settings
        self._k, self._enforce, self._meta_prompt = k, enforce, meta_prompt
        self.material = material
        self._rank = rank
        self._seen: set[tuple[str, tuple[Demonstration, ...]]] = set()
        self._relevance = True

    def know(self, entry: Entry) -> None:
        """A prompt like `entry` is not proposed again."""
        self._seen.add(_alike(entry))

    async def propose(self, step: Step, parent: Parent, limit: int | None, count: int) -> Proposed:
        """`count` candidates where they can be had. `step` has the visited prompts by their words. Raises what the
        optimizer model raises where it cannot go on."""
        step = project(step)
        earns = {move: trial.earns(count, FINALISTS) for move, trial in self.trials.items()}
        moves = share_out(
            count,
            self._settings,
            step.number,
            reflection=self._settings.reflection and earns["reflection"],
            demonstrations=bool(self._pool_of(step)),
            writing=earns["meta-prompt"],
        )
        asked, reflecting = moves.count("meta-prompt"), "reflection" in moves
        shown = Shown()
        messages: tuple[Message, ...] = ()
        written: list[tuple[Move, Reply]] = []
        if asked or reflecting:
            shown = await self._choose_shown(step)
            messages = write_meta_prompt(step, shown, limit, Generation(), self._meta_prompt)
            written = await self._write(step, parent, limit, messages, asked, reflecting=reflecting)
        drafts: list[Draft] = []
        for move, reply in written:
            drafts += self._read(reply, parent, move, step, limit)
        if self._rank and asked:
            drafts = self._best_drafts(drafts, asked)
        for move in ("edit", "demonstrations"):
            drafts += self._without_model(move, step, parent, moves.count(move))
        drafts += self._fill(step, parent, count - sum(draft.entry is not None for draft in drafts))
        return Proposed(tuple(drafts), shown, messages)

    async def _choose_shown(self, step: Step) -> Shown:
        if self._relevance:
            try:
                return await Relevance(self._k).show(step)
            except BudgetError:
                raise
            except ModelError:
                self._relevance = False
                self.warnings.append(NO_EMBEDDER)
        return await Recency(self._k).show(step)

    async def _write(
        self,
        step: Step,
        parent: Parent,
        limit: int | None,
        messages: tuple[Message, ...],
        asked: int,
        *,
        reflecting: bool,
    ) -> list[tuple[Move, Reply]]:
        """The replies to the meta-prompt, and the one by reflection."""
        bench = self._bench
        text = (
            write_reflection(
                bench.task, bench.templates, parent.entry.words, parent.outcomes, limit, part=step.part
            )
            if reflecting
            else None
        )
        moves: list[Move] = []
        # With a signal twice as many are drafted, and those that it likes best are kept.
        number = asked * (2 if self._rank else 1) + (reflecting and text is None)
        jobs = []
        if number:
            moves.append("meta-prompt")
            jobs.append(bench.replies(messages, number, step=step.number, purpose="candidates"))
        if text is not None:
            moves.append("reflection")
            jobs.append(bench.replies(write_turn(text), 1, step=step.number, purpose="reflection"))
        return list(zip(moves, await run_together(jobs), strict=True))

    def _read(
        self, reply: Reply, parent: Parent, move: Move, step: Step, limit: int | None
    ) -> Iterator[Draft]:
        text = self._text(parent.entry, step)
        ends = reply.finish_reasons or ("",) * len(reply.texts)
        for raw, end in zip(reply.texts, ends, strict=True):
            self.replies += 1
            item = read_candidate(
                raw,
                text,
                self._guard.of(step.part),
                limit=limit if self._enforce else None,
                cut_off=end == "length",
            )
            words = item.prompt if item.rejected else self._with_text(parent.entry, step, item.prompt)
            entry = replace(parent.entry, words=words, parent=parent.number, move=move, step=step.number)
            draft = self._judged(raw, entry, parent, item.rejected)
            if draft.entry is None:
                self.unusable += 1
                self.trials[move].note(won=False)
            yield draft

    def _without_model(
        self, move: Move, step: Step, parent: Parent, count: int, *, purpose: str = ""
    ) -> Iterator[Draft]:
        """Up to `count` new candidates by an edit or a move of the demonstrations; rejected tries are not kept."""
        for number in range(count):
            for attempt in range(TRIES):
                rng = self._bench.rng(step.number, f"{purpose or move}/{number}/{attempt}")
                entry = replace(parent.entry, parent=parent.number, move=move, step=step.number)
                if move == "edit":
                    clauses = self.material.clauses.get(step.part, ())
                    text = edit(self._text(entry, step), clauses, rng)
                    entry = replace(entry, words=self._with_text(entry, step, text))
                else:
                    shown = move_part(entry.demonstrations, self.material.pool, step.part or "", rng)
                    entry = replace(entry, demonstrations=shown)
                # The words of a start prompt are not the guard's: the empty one may get demonstrations.
                changed = entry.words != parent.entry.words
                guard = self._guard.of(step.part)
                reason = guard.reason(self._text(entry, step)) if changed else None
                draft = self._judged(entry.prompt, entry, parent, reason)
                if draft.entry is not None:
                    yield draft
                    break

    def _pool_of(self, step: Step) -> Sequence[Demonstration]:
        """Demonstrations that a move of this step can choose from."""
        return in_part(self.material.pool, step.part or "")

    def _text(self, entry: Entry, step: Step) -> str:
        """The words that a step changes: all of an entry's, or those of one part."""
        return part_of(entry.words, self._bench.task.parts, step.part)

    def _with_text(self, entry: Entry, step: Step, text: str) -> str:
        return with_part(entry.words, self._bench.task.parts, step.part, text)

    def _fill(self, step: Step, parent: Parent, missing: int) -> list[Draft]:
        """In place of replies that are no prompts: demonstrations and edits in turns, while there are new ones."""
        usable: list[Move] = ["demonstrations"] * bool(self._pool_of(step))
        usable += ["edit"] * self._settings.edits
        drafts: list[Draft] = []
        turn = 0
        while usable and len(drafts) < missing:
            move = usable[turn % len(usable)]
            # Other draws than those of the step's own moves: these were tried before.
            found = list(
                self._without_model(move, step, parent, 1, purpose=f"{move} in place of a reply/{turn}")
            )
            drafts += found
            turn += 1
            if not found:
                usable.remove(move)
        return drafts

    def _best_drafts(self, drafts: Sequence[Draft], count: int) -> list[Draft]:
        rank = self._rank
        assert rank is not None
        usable = [draft for draft in drafts if draft.entry is not None]
        wanted = count + sum(draft.entry.move == "reflection" for draft in usable if draft.entry)
        usable.sort(key=lambda draft: -rank(draft.entry) if draft.entry else 0.0)
        for draft in usable[wanted:]:
            if draft.entry is not None:
                self._seen.discard(_alike(draft.entry))
        dropped = [
            Draft(replace(draft.candidate, rejected="the signal expects more of others"))
            for draft in usable[wanted:]
        ]
        return [*usable[:wanted], *(draft for draft in drafts if draft.entry is None), *dropped]

    def _judged(self, raw: str, entry: Entry, parent: Parent, rejected: str | None) -> Draft:
        """A candidate of `entry`, or the reason why it is none; a usable one is known from now on."""
        if rejected is None and _alike(entry) == _alike(parent.entry):
            rejected = "does not change the current prompt"
        if rejected is None and _alike(entry) in self._seen:
            rejected = "is nearly the same as an earlier prompt"
        if rejected is None:
            self.know(entry)
        distance = count_changed_words(parent.entry.words, entry.words)
        candidate = Candidate(
            raw, entry.prompt, parent.entry.prompt, distance, rejected=rejected, move=entry.move
        )
        return Draft(candidate, None if rejected else entry)


def _alike(entry: Entry) -> tuple[str, tuple[Demonstration, ...]]:
    """What makes two prompts nearly the same: their words without case and punctuation, and their demonstrations."""
    letters = "".join(c if c.isalnum() or c in "{}" else " " for c in entry.words.lower())
    return " ".join(letters.split()), entry.demonstrations
