"""OPRO as published: many steps, each shown the best prompts so far with their scores in ascending order.

Yang et al. 2023 (arXiv 2309.03409); the numbers and filters are those of `opro/optimization/` in
github.com/google-deepmind/opro.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpo.config.published import OproConfig
from gpo.model.model import Message
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.candidates import Candidate, Guard, normalise_prompt
from gpo.optimizer.published.base import PublishedSearch, write_turn
from gpo.optimizer.search import Listener, StepRecord
from gpo.optimizer.workbench import Workbench
from gpo.task.answer.number import NumberReader

SLOT = "<INS>"
_TAGGED = re.compile(r"<INS>(.*?)(?:</INS>|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ScoredPrompt:
    """An instruction as the meta-prompt shows it; `score` is a whole number of 100."""

    prompt: str
    score: int


def select_shown(scored: Sequence[tuple[str, float]], most: int, threshold: float) -> list[ScoredPrompt]:
    """The `most` best of `scored` (prompt, mean in 0..1), ascending, without those under `threshold`; among equals the
    later one comes later."""
    best = sorted(scored, key=lambda item: item[1])[-most:]
    return [ScoredPrompt(prompt, round(100 * score)) for prompt, score in best if score >= threshold]


class Opro(PublishedSearch):
    """A step samples prompts, filters them, scores the new ones on dev and adds them to the past.

    Scores come from dev, where the code takes a share of train; train gives the exemplars. The code looks at a held-out
    part every 3 steps and decides nothing by it; that is left out.
    """

    def __init__(
        self, settings: OproConfig, bench: Workbench, guard: Guard, listener: Listener | None
    ) -> None:
        super().__init__(
            bench,
            guard,
            listener,
            total=settings.steps,
            pairs_a_step=settings.samples * len(bench.task.splits.dev),
        )
        self.settings = settings
        self._past: list[str] = []
        self._seen: set[str] = set()

    @staticmethod
    def calls(settings: OproConfig, sizes: Sizes) -> Calls:
        """One call a step, and every new prompt on dev."""
        s = settings
        content = PromptContent(prompts=s.shown, examples=min(s.exemplars, sizes.train))
        return Calls(
            dev=RowUse((1 + s.steps * s.samples,) * sizes.dev),
            optimizer=(OptimizerCalls(s.steps, s.samples, s.max_tokens, content),),
            prompt_tokens=s.max_tokens,
            templates="published",
        )

    async def step(self, number: int, initial: str) -> StepRecord:
        """One step; a reply that was seen before, even a rejected one, is not looked at again."""
        if number == 0:
            self._past.append(initial)
            self._seen.add(normalise_prompt(initial))
        settings, parent = self.settings, self.best
        messages = self._meta_prompt(number)
        replies = await self.bench.sample(
            messages,
            settings.samples,
            step=number,
            purpose="candidates",
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
        )
        candidates = [self._filtered(self.judge(_untagged(raw), parent, self._seen), raw) for raw in replies]
        fresh = [item.prompt for item in candidates if item.rejected is None]
        await self.dev.score(fresh)
        self._past += fresh
        chosen = max(fresh, key=self.mean, default=parent)
        return self.record(number, parent, candidates, chosen, meta_prompt=messages)

    def _meta_prompt(self, number: int) -> tuple[Message, ...]:
        settings, bench = self.settings, self.bench
        scored = [(prompt, self.mean(prompt)) for prompt in self._past]
        train = list(bench.task.splits.train)
        exemplars = bench.rng(number, "exemplars").sample(train, min(settings.exemplars, len(train)))
        text = bench.templates.render(
            "published/opro",
            earlier=select_shown(scored, settings.shown, settings.threshold),
            exemplars=[bench.task.with_slot(example, SLOT) for example in exemplars],
        )
        return write_turn(text)

    def _filtered(self, item: Candidate, raw: str) -> Candidate:
        item = replace(item, raw=raw)
        if item.rejected is not None:
            return item
        settings = self.settings
        digits = settings.digits
        if digits is None:
            digits = not isinstance(self.bench.task.answer, NumberReader)
        if len(item.prompt) > settings.max_characters:
            return replace(
                item, rejected=f"{len(item.prompt)} characters, more than {settings.max_characters}"
            )
        if not digits and any(character.isdigit() for character in item.prompt):
            return replace(item, rejected="contains digits")
        if "INS" in item.prompt:
            return replace(item, rejected="contains INS")
        return item


def _untagged(raw: str) -> str:
    tagged = _TAGGED.search(raw)
    return tagged.group(1) if tagged else raw.replace("</INS>", "")
