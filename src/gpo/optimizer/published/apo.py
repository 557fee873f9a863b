"""APO (ProTeGi) as published: reasons for errors are the gradient, edits the step, a beam and a bandit the search.

Pryzant et al. 2023 (arXiv 2305.03495); the numbers are the defaults of `prompt_optimization/main.py` in
github.com/microsoft/LMOps, with UCB, the paper's choice, as the selection.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpo.config.published import ApoConfig
from gpo.evaluation.outcome import Outcome
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.candidates import Candidate, Guard, normalise_prompt
from gpo.optimizer.parts.information import describe_failure
from gpo.optimizer.published.bandit import BruteForce, Selection, SuccessiveHalving, SuccessiveRejects, Ucb
from gpo.optimizer.published.base import PublishedSearch, run_together, write_turn
from gpo.optimizer.reply import read_reply
from gpo.optimizer.search import Listener, StepRecord
from gpo.optimizer.workbench import Workbench

Errors = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Expansion:
    """What one prompt of the beam gave rise to: its reasons and the candidates that were read."""

    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]


class Apo(PublishedSearch):
    """A round expands every prompt of the beam, lets the parents join again and selects the next beam.

    Rows for selection come from dev, where the code takes train for gradient and selection alike. The beam of every
    round is scored on the whole of dev, as the code scores it on test; that decides about the answer alone.
    Options that are off in the code (more than one reason a group or edit a reason, rejecting on errors) are left out.
    """

    def __init__(
        self, settings: ApoConfig, bench: Workbench, guard: Guard, listener: Listener | None
    ) -> None:
        budget = settings.bandit_rounds * settings.bandit_prompts * settings.bandit_samples
        splits = bench.task.splits
        minibatch = settings.beam * min(settings.minibatch, len(splits.train))
        super().__init__(
            bench,
            guard,
            listener,
            total=settings.rounds,
            pairs_a_step=minibatch + budget + settings.beam * len(splits.dev),
        )
        self.settings = settings
        self.selection = build_selection(settings)
        self._beam: list[str] = []

    @staticmethod
    def calls(settings: ApoConfig, sizes: Sizes) -> Calls:
        """Every prompt of a beam looks for errors, is edited and paraphrased; the new ones and their parents are
        selected from, and the next beam is scored on all of dev, of which the selection has asked its members their
        share."""
        s, dev = settings, sizes.dev
        pairs, walked, expanded, beam = 0, 0, 0, 1
        new = min(s.expansion, s.groups + (s.groups + 1) * s.paraphrases)
        for _ in range(s.rounds):
            walked += beam * min(s.minibatch, sizes.train)
            expanded += beam
            arms = beam * (1 + new)
            keep = min(s.beam, arms)
            asked = 0 if arms == 1 else build_selection(s).pairs(arms, dev, keep, sizes.most)
            whole = keep * dev
            pairs += asked + (whole if sizes.most else max(0, whole - keep * asked // arms))
            beam = keep
        edits = expanded * s.groups
        errors = PromptContent(prompts=1, failures=s.errors)
        rewrites = [
            OptimizerCalls(edits, 1, s.max_tokens, errors),
            OptimizerCalls(edits, 1, s.max_tokens, errors + PromptContent(reply_tokens=s.max_tokens)),
        ]
        if s.paraphrases:
            sources = expanded * (s.groups + 1)
            rewrites.append(OptimizerCalls(sources, s.paraphrases, s.max_tokens, PromptContent(prompts=1)))
        return Calls(
            train=RowUse(pairs=walked),
            dev=RowUse((1,) * dev, pairs),
            optimizer=tuple(rewrites),
            prompt_tokens=s.max_tokens,
            templates="published",
        )

    async def step(self, number: int, initial: str) -> StepRecord:
        """One round."""
        settings, bench = self.settings, self.bench
        beam = self._beam or [initial]
        train = list(bench.task.splits.train)
        batch = bench.rng(number, "minibatch").sample(train, min(settings.minibatch, len(train)))
        outcomes = await bench.scorer.outcomes(beam, batch, "train")
        expansions = await run_together(
            self._expand(number, place, prompt, outcomes[place]) for place, prompt in enumerate(beam)
        )
        candidates = self._without_duplicates(expansions, beam)
        fresh = [index for index, item in enumerate(candidates) if item.rejected is None]
        arms = [*beam, *(candidates[index].prompt for index in fresh)]
        self._beam, means = await self._select(number, arms)
        await self.dev.score(self._beam)
        estimates: list[float | None] = [None] * len(candidates)
        for index, mean in zip(fresh, means[len(beam) :], strict=True):
            estimates[index] = mean
        reasons = [reason for expansion in expansions for reason in expansion.reasons]
        return self.record(
            number,
            beam[0],
            candidates,
            max(self._beam, key=self.mean),
            reflection="\n".join(reasons) or None,
            estimates=estimates,
        )

    async def _select(self, number: int, arms: Sequence[str]) -> tuple[list[str], tuple[float | None, ...]]:
        """The next beam, best first, and the estimate of every arm."""
        if len(arms) == 1:
            return list(arms), (None,)
        dev = list(self.bench.task.splits.dev)

        async def play(chosen: Sequence[int], rows: Sequence[int]) -> list[list[float | None]]:
            return await self.values([arms[arm] for arm in chosen], [dev[row] for row in rows], "dev")

        keep = min(self.settings.beam, len(arms))
        ranking = await self.selection.run(
            len(arms), len(dev), keep, play, self.bench.rng(number, "selection")
        )
        return [arms[arm] for arm in ranking.best], ranking.means

    async def _expand(self, number: int, place: int, prompt: str, outcomes: Sequence[Outcome]) -> _Expansion:
        """Reasons, edits and paraphrases of the prompt at `place` in the beam; at most `expansion` are kept."""
        settings = self.settings
        rng = self.bench.rng(number, f"errors/{place}")
        wrong = [outcome for outcome in outcomes if outcome.value is not None and outcome.value < 1]
        groups = [
            self._choose_shown(rng.sample(wrong, min(settings.errors, len(wrong))))
            for _ in range(settings.groups if wrong else 0)
        ]
        # The numbers keep calls apart that are equal in all but their place: each has a seed of its own.
        first = place * settings.groups
        pairs = await run_together(
            self._gradient(number, first + index, prompt, errors) for index, errors in enumerate(groups)
        )
        edits = [edit for _, edit in pairs]
        sources = [prompt, *(read_reply(edit) for edit in edits)]
        width = settings.groups + 1
        paraphrases = await run_together(
            self._paraphrase(number, place * width + index, source) for index, source in enumerate(sources)
        )
        seen = {normalise_prompt(prompt)}
        texts = [*edits, *(text for batch in paraphrases for text in batch)]
        candidates = [self.judge(raw, prompt, seen) for raw in texts]
        kept = self._drawn(candidates, self.bench.rng(number, f"expansion/{place}"))
        return _Expansion(tuple(reason for reason, _ in pairs), tuple(kept))

    async def _gradient(self, number: int, index: int, prompt: str, errors: Errors) -> tuple[str, str]:
        """The reason for a group of errors, and the reply with the edit for it."""
        render = self.bench.templates.render
        text = render("published/apo_reason", prompt=prompt, errors=errors)
        (raw,) = await self._sample(text, 1, number, "reflection", index)
        reason = read_reply(raw)
        text = render("published/apo_edit", prompt=prompt, errors=errors, reason=reason)
        (edit,) = await self._sample(text, 1, number, "candidates", index)
        return reason, edit

    async def _paraphrase(self, number: int, index: int, prompt: str) -> tuple[str, ...]:
        if not self.settings.paraphrases or not prompt:
            return ()
        text = self.bench.templates.render("published/paraphrase", prompt=prompt)
        return await self._sample(text, self.settings.paraphrases, number, "paraphrase", index)

    async def _sample(self, text: str, n: int, number: int, purpose: str, index: int) -> tuple[str, ...]:
        return await self.bench.sample(
            write_turn(text),
            n,
            step=number,
            purpose=purpose,
            attempt=index,
            temperature=self.settings.temperature,
            max_tokens=self.settings.max_tokens,
        )

    def _drawn(self, candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
        """The candidates, all but a random `expansion` of those that may be scored rejected."""
        open_ = [index for index, item in enumerate(candidates) if item.rejected is None]
        if len(open_) <= self.settings.expansion:
            return list(candidates)
        drawn = set(rng.sample(open_, self.settings.expansion))
        return [
            item
            if item.rejected is not None or index in drawn
            else replace(item, rejected=f"is not one of the {self.settings.expansion} that were drawn")
            for index, item in enumerate(candidates)
        ]

    def _without_duplicates(self, expansions: Sequence[_Expansion], beam: Sequence[str]) -> list[Candidate]:
        """The candidates of all expansions; what stands in the beam or in an earlier expansion is rejected."""
        seen = {normalise_prompt(prompt) for prompt in beam}
        items: list[Candidate] = []
        for item in (item for expansion in expansions for item in expansion.candidates):
            words = normalise_prompt(item.prompt)
            if item.rejected is None and words in seen:
                item = replace(item, rejected="is the same as an earlier prompt")
            elif item.rejected is None:
                seen.add(words)
            items.append(item)
        return items

    def _choose_shown(self, outcomes: Sequence[Outcome]) -> Errors:
        return [describe_failure(self.bench.task, outcome) for outcome in outcomes]


def build_selection(settings: ApoConfig) -> Selection:
    """The kind of selection that the configuration names, with the budget that its bandit keys multiply to."""
    rounds, prompts, samples = settings.bandit_rounds, settings.bandit_prompts, settings.bandit_samples
    budget = rounds * prompts * samples
    kinds: dict[str, Selection] = {
        "ucb": Ucb(rounds, prompts, samples, settings.c),
        "successive-rejects": SuccessiveRejects(budget),
        "successive-halving": SuccessiveHalving(budget),
        "brute-force": BruteForce(budget),
    }
    return kinds[settings.selection]
