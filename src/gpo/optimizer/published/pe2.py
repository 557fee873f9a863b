"""PE2 as published: failures are looked at with a questionnaire, and the same chat then rewrites the prompt.

Ye et al. 2023 (arXiv 2311.05661); the numbers are those of the paper and of `cli.py` and `trainer/` in
github.com/INK-USC/PE2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from gpo.config.published import Pe2Config
from gpo.evaluation.outcome import Outcome
from gpo.model.model import Message
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent, RowUse, Sizes
from gpo.optimizer.candidates import Candidate, Guard, normalise_prompt
from gpo.optimizer.parts.information import describe_failure
from gpo.optimizer.published.base import PublishedSearch, run_together, write_turn
from gpo.optimizer.search import Listener, StepRecord
from gpo.optimizer.workbench import Workbench
from gpo.task.example import Example

WALK = 8
"""Train rows that are asked at once while failures are looked for."""


@dataclass(slots=True)
class Node:
    """A prompt, the round after which it was there, how it came about, and its failures once they are known."""

    prompt: str
    round: int
    history: tuple[str, ...] = ()
    failures: list[Outcome] | None = None
    accuracy: float = field(default=0.0)


@dataclass(frozen=True, slots=True)
class _Proposal:
    parent: Node
    raw: str
    reasoning: str
    history: tuple[str, ...]


class Pe2(PublishedSearch):
    """A round takes the best prompts of all rounds by dev score, asks each for proposals and scores these on dev.

    The search ends early at a dev score of 1. A prompt without failures on train is not expanded. Every proposal is
    about failures alone ("hard" batches). The blog post, the demonstrations and the tutorial that the code can add to
    the chat are off in the paper's final setting, and left out.
    """

    def __init__(
        self, settings: Pe2Config, bench: Workbench, guard: Guard, listener: Listener | None
    ) -> None:
        splits = bench.task.splits
        new = settings.beam * settings.proposals * len(splits.dev)
        super().__init__(
            bench,
            guard,
            listener,
            total=settings.rounds,
            pairs_a_step=new + settings.beam * len(splits.train),
        )
        self.settings = settings
        self._nodes: list[Node] = []
        self._seen: set[str] = set()

    @staticmethod
    def calls(settings: Pe2Config, sizes: Sizes) -> Calls:
        """Each prompt of a beam walks train once, until it has failures enough; two turns a proposal, and a third where
        the history is kept; every proposal on dev."""
        s = settings
        nodes, looked, proposals = 1, 0, 0
        for _ in range(s.rounds):
            beam = min(s.beam, nodes)
            proposals += beam * s.proposals
            looked += beam
            nodes += beam * s.proposals
        steps_of_walk = -(-2 * math.ceil(_wanted(s)) // WALK)
        walk = sizes.train if sizes.most else min(sizes.train, WALK * steps_of_walk)
        content = PromptContent(prompts=2, failures=s.batch)
        turns = [OptimizerCalls(proposals, 1, s.inspection_tokens, content)]
        content += PromptContent(prompts=1 + 4 * s.history, reply_tokens=s.inspection_tokens)
        turns.append(OptimizerCalls(proposals, 1, s.max_tokens, content))
        if s.history:
            content += PromptContent(reply_tokens=s.max_tokens)
            turns.append(OptimizerCalls(proposals, 1, s.history_tokens, content))
        return Calls(
            train=RowUse(pairs=looked * walk),
            dev=RowUse((1 + proposals,) * sizes.dev),
            optimizer=tuple(turns),
            prompt_tokens=s.max_tokens,
            templates="published",
        )

    async def step(self, number: int, initial: str) -> StepRecord:
        """One round."""
        if number == 0:
            self._nodes.append(Node(initial, 0))
            self._seen.add(normalise_prompt(initial))
        beam = self._chosen(number)
        await run_together(self._look_for_failures(node) for node in beam)
        places = [
            (place, k)
            for place, node in enumerate(beam)
            if node.failures
            for k in range(self.settings.proposals)
        ]
        proposals = await run_together(self._propose(number, place, k, beam[place]) for place, k in places)
        candidates = [self.judge(item.raw, item.parent.prompt, self._seen) for item in proposals]
        await self.dev.score([item.prompt for item in candidates if item.rejected is None])
        for item, proposal in zip(candidates, proposals, strict=True):
            if item.rejected is None:
                self._nodes.append(Node(item.prompt, number + 1, proposal.history))
        return self.record(
            number,
            beam[0].prompt,
            candidates,
            self._next(candidates, beam[0].prompt),
            reflection="\n\n".join(item.reasoning for item in proposals) or None,
        )

    def _chosen(self, number: int) -> list[Node]:
        """The beam of round `number`, best first; among equals the earlier one."""
        nodes = self._nodes
        if not self.settings.backtracking:
            # A round that brought nothing new leaves the one before it in place.
            last = max(node.round for node in nodes)
            nodes = [node for node in nodes if node.round == last]
        return sorted(nodes, key=lambda node: -self.mean(node.prompt))[: self.settings.beam]

    def _next(self, candidates: Sequence[Candidate], parent: str) -> str:
        fresh = [item.prompt for item in candidates if item.rejected is None]
        return max(fresh, key=self.mean, default=parent)

    async def _look_for_failures(self, node: Node) -> None:
        """Walk the shuffled train split until there are failures enough, once a prompt."""
        if node.failures is not None:
            return
        settings, bench = self.settings, self.bench
        wanted = _wanted(settings)
        train = list(bench.task.splits.train)
        # The order is the same for all prompts and rounds, so that prompts are asked the same rows first.
        bench.rng(0, "walk").shuffle(train)
        failures: list[Outcome] = []
        values: list[float] = []
        for start in range(0, len(train), WALK):
            (outcomes,) = await bench.scorer.outcomes([node.prompt], train[start : start + WALK], "train")
            values += [outcome.value for outcome in outcomes if outcome.value is not None]
            failures += [outcome for outcome in outcomes if outcome.value is not None and outcome.value < 1]
            if len(failures) >= wanted:
                break
        node.failures = failures
        node.accuracy = sum(values) / len(values) if values else 0.0

    async def _propose(self, number: int, place: int, k: int, node: Node) -> _Proposal:
        """One chat: the questionnaire, the rewrite and, where the history is kept, a summary of the two."""
        settings, bench = self.settings, self.bench
        failures = node.failures or []
        rng = bench.rng(number, f"batch/{place}/{k}")
        batch = rng.sample(failures, min(settings.batch, len(failures)))
        index = place * settings.proposals + k
        chat = write_turn(
            bench.templates.render(
                "published/pe2_inspect",
                prompt=node.prompt,
                template=self._template(node.prompt),
                examples=[describe_failure(bench.task, outcome) for outcome in batch],
            )
        )
        told = (*node.history, self._accuracy(node)) if settings.history else ()
        reasoning = await self._turn(
            chat, number, "inspection", index, settings.inspection_temperature, settings.inspection_tokens
        )
        text = bench.templates.render(
            "published/pe2_rewrite",
            prompt=node.prompt,
            history="\n".join(told),
            step_size=settings.step_size,
            max_words=settings.max_words,
        )
        chat = (*chat, Message("assistant", reasoning), Message("user", text))
        raw = await self._turn(chat, number, "candidates", index, settings.temperature, settings.max_tokens)
        if settings.history:
            text = bench.templates.render("published/pe2_history")
            chat = (*chat, Message("assistant", raw), Message("user", text))
            summary = await self._turn(
                chat, number, "history", index, settings.temperature, settings.history_tokens
            )
            told = (*told, f"Step {node.round + 1}: {_at_most(summary, 200)}")
        return _Proposal(node, raw, reasoning, told)

    async def _turn(
        self,
        chat: tuple[Message, ...],
        number: int,
        purpose: str,
        index: int,
        temperature: float,
        max_tokens: int,
    ) -> str:
        (reply,) = await self.bench.sample(
            chat,
            1,
            step=number,
            purpose=purpose,
            attempt=index,
            temperature=temperature,
            max_tokens=max_tokens,
        )
        return reply.strip()

    def _template(self, prompt: str) -> str:
        """How the prompt is joined with an input, with <input> in the input's place."""
        fields = dict.fromkeys(self._columns(), "<input>")
        opening = self.bench.task.opening(prompt, Example("", "<input>", "", fields))
        return opening if isinstance(opening, str) else "\n\n".join(turn.content for turn in opening)

    def _columns(self) -> Sequence[str]:
        splits = self.bench.task.splits
        return list((splits.train or splits.dev)[0].fields)

    @staticmethod
    def _accuracy(node: Node) -> str:
        return f"After step {node.round}, the accuracy on train was {100 * node.accuracy:.1f} of 100."


def _wanted(settings: Pe2Config) -> float:
    """Failures of a prompt that are enough for all its proposals."""
    return settings.batch * max(settings.proposals, 2) / 2


def _at_most(text: str, words: int) -> str:
    """The first `words` words of `text`."""
    return " ".join(text.split()[:words])
