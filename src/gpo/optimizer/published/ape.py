"""APE as published: instructions induced from demonstrations, then meaning-preserving rewrites of the best one.

Zhou et al. 2022 (arXiv 2211.01910); the numbers are those of the instruction-induction experiments and of
`configs/bandits.yaml` in github.com/keirp/automatic_prompt_engineer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpo.config.published import ApeConfig
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.candidates import Candidate, Guard
from gpo.optimizer.published.bandit import Ucb
from gpo.optimizer.published.base import PublishedSearch, run_together, write_turn
from gpo.optimizer.search import Listener, StepRecord
from gpo.optimizer.workbench import Workbench
from gpo.task.example import Example


@dataclass(frozen=True, slots=True)
class _Best:
    """The best prompt that APE itself found, and its estimate."""

    prompt: str
    estimate: float


class Ape(PublishedSearch):
    """Step 0 induces and selects; every further step rewrites the best prompt and keeps the best of all.

    A prompt's estimate is its mean over the same few dev rows; the best prompt of a step is scored on the whole of dev
    as well. The initial prompt plays no part but stays in the running for the answer. Differences to the code: a top-p
    of 0.9 is not asked for, and the ranking by log-likelihood is left out, as chat models do not give it.
    """

    def __init__(
        self, settings: ApeConfig, bench: Workbench, guard: Guard, listener: Listener | None
    ) -> None:
        dev = len(bench.task.splits.dev)
        rows = min(dev, settings.examples)
        super().__init__(
            bench, guard, listener, total=1 + settings.rounds, pairs_a_step=settings.rewrites * rows + dev
        )
        self.settings = settings
        self._seen: set[str] = set()
        self._best: _Best | None = None

    @staticmethod
    def calls(settings: ApeConfig, sizes: Sizes) -> Calls:
        """Induction and rewrites, their estimates, and the best prompt of each step on all of dev, of which its
        estimate has asked some rows."""
        s, dev = settings, sizes.dev
        arms, rows = s.subsets * s.samples, min(dev, s.examples)
        first = _build_ucb(s).pairs(arms, dev, 1, sizes.most) if s.selection == "ucb" else arms * rows
        whole = (1 + s.rounds) * (dev if sizes.most else dev - rows)
        shown = PromptContent(examples=min(s.demonstrations, sizes.train))
        return Calls(
            dev=RowUse((1,) * dev, first + s.rounds * s.rewrites * rows + whole),
            optimizer=(
                OptimizerCalls(s.subsets, s.samples, s.max_tokens, shown),
                OptimizerCalls(s.rounds, s.rewrites, s.max_tokens, PromptContent(prompts=1)),
            ),
            prompt_tokens=s.max_tokens,
            templates="published",
        )

    async def step(self, number: int, initial: str) -> StepRecord:
        """Induction at step 0, resampling from then on (Algorithm 1 of the paper)."""
        if number == 0:
            candidates, estimates = await self._induce()
        else:
            candidates, estimates = await self._rewrite(number)
        parent = initial if self._best is None else self._best.prompt
        for item, estimate in zip(candidates, estimates, strict=True):
            if estimate is not None and (self._best is None or estimate > self._best.estimate):
                self._best = _Best(item.prompt, estimate)
        chosen = initial if self._best is None else self._best.prompt
        await self.dev.score([chosen])
        return self.record(number, parent, candidates, chosen, estimates=estimates)

    async def _induce(self) -> tuple[list[Candidate], list[float | None]]:
        settings, bench = self.settings, self.bench
        train = bench.task.splits.train
        rng = bench.rng(0, "subsets")
        texts = [
            self._demonstrations(rng.sample(list(train), min(settings.demonstrations, len(train))))
            for _ in range(settings.subsets)
        ]
        replies = await run_together(
            bench.sample(
                write_turn(text),
                settings.samples,
                step=0,
                purpose="induction",
                attempt=index,
                temperature=settings.temperature,
                max_tokens=settings.max_tokens,
            )
            for index, text in enumerate(texts)
        )
        candidates = [self.judge(raw, "", self._seen) for batch in replies for raw in batch]
        return candidates, await self._estimates(candidates, bandit=settings.selection == "ucb")

    async def _rewrite(self, number: int) -> tuple[list[Candidate], list[float | None]]:
        if self._best is None:
            return [], []
        settings, parent = self.settings, self._best.prompt
        replies = await self.bench.sample(
            write_turn(self.bench.templates.render("published/paraphrase", prompt=parent)),
            settings.rewrites,
            step=number,
            purpose="paraphrase",
            temperature=settings.rewrite_temperature,
            # The code caps an induced instruction, and a rewrite is no longer than one.
            max_tokens=settings.max_tokens,
        )
        candidates = [self.judge(raw, parent, self._seen) for raw in replies]
        return candidates, await self._estimates(candidates, bandit=False)

    def _demonstrations(self, examples: Sequence[Example]) -> str:
        task = self.bench.task
        shown = [{"input": example.input, "output": task.target_text(example)} for example in examples]
        return self.bench.templates.render("published/ape_induction", demonstrations=shown)

    async def _estimates(self, candidates: Sequence[Candidate], *, bandit: bool) -> list[float | None]:
        """Mean value of every candidate over some dev rows, None where it was rejected or never run."""
        settings, dev = self.settings, list(self.bench.task.splits.dev)
        kept = [index for index, item in enumerate(candidates) if item.rejected is None]
        if not kept:
            return [None] * len(candidates)
        prompts = [candidates[index].prompt for index in kept]

        async def play(arms: Sequence[int], rows: Sequence[int]) -> list[list[float | None]]:
            return await self.values([prompts[arm] for arm in arms], [dev[row] for row in rows], "dev")

        if bandit:
            ranking = await _build_ucb(settings).run(
                len(kept), len(dev), 1, play, self.bench.rng(0, "bandit")
            )
            means = ranking.means
        else:
            # The same rows in every step, so that estimates of different steps can be compared.
            rows = sorted(self.bench.rng(0, "rows").sample(range(len(dev)), min(len(dev), settings.examples)))
            means = tuple(_mean(row) for row in await play(range(len(kept)), rows))
        estimates: list[float | None] = [None] * len(candidates)
        for index, mean in zip(kept, means, strict=True):
            estimates[index] = mean
        return estimates


def _build_ucb(settings: ApeConfig) -> Ucb:
    return Ucb(
        settings.bandit_rounds, settings.bandit_prompts, settings.bandit_samples, settings.c, clock="samples"
    )


def _mean(values: Sequence[float | None]) -> float | None:
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else None
