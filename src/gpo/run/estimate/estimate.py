"""What a run may cost, before any call is made: calls, tokens and dollars of both models, expected and at most.

Reads the plan's sizes and the texts of the task, without a call. "At most" takes every step, every resampling round
and every reply at its limit, and a token for each byte of a prompt, which no byte-pair tokenizer exceeds. "Expected"
takes no resampling, four bytes a token and replies of a third of their limit: a rule of thumb. Retries, patience and
answers from the store are left out of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gpo.model.model import Message, Request, Usage
from gpo.optimizer.calls import Calls, RowUse
from gpo.run.estimate.probe import probe_request
from gpo.run.estimate.text_sizes import (
    BYTES_A_TOKEN,
    CANDIDATE_BYTES,
    REPLY_SHARE,
    WRAP_BYTES,
    TextSizes,
    count_bytes,
    count_example_bytes,
    count_template_bytes,
)
from gpo.run.layers.amount import CALL_OVERHEAD, MESSAGE_OVERHEAD, prompt_bound
from gpo.run.plan import Plan
from gpo.task.example import Example

CHAT_TURNS = 5
"""Turns of an optimizer's chat at most."""


@dataclass(frozen=True, slots=True)
class Load:
    """Calls and tokens of one model; dollars are None where the price is unknown."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class RoleEstimate:
    """Of one model."""

    expected: Load
    most: Load


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRuns:
    """How often a program is run on a row. Unless a run is `one_call`, how many it makes is known when the first one
    has been made."""

    expected: int
    most: int
    one_call: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of all models; `judge` is None where there is none. Of a program `program` tells the runs; unless each is one
    call, `task` is no estimate and shown nowhere: what its calls come to nobody knows."""

    task: RoleEstimate
    optimizer: RoleEstimate
    judge: RoleEstimate | None = None
    program: ProgramRuns | None = None

    @property
    def roles(self) -> dict[str, RoleEstimate]:
        """Those that there are, by name."""
        task = {"task": self.task} if self.program is None or self.program.one_call else {}
        judge = {"judge": self.judge} if self.judge else {}
        return {**task, "optimizer": self.optimizer, **judge}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        runs = {"program": asdict(self.program)} if self.program else {}
        return {**runs, **{role: asdict(found) for role, found in self.roles.items()}}


def estimate(plan: Plan) -> Estimate:
    """Sizes of `plan` in calls, tokens and dollars. Makes no call."""
    asked = {most: plan.calls(most=most) for most in (False, True)}
    program = plan.task.program
    runs = ProgramRuns(
        expected=_runs(plan, asked[False]),
        most=_runs(plan, asked[True]),
        one_call=bool(program and program.counts_calls),
    )
    return Estimate(
        _of_program(plan, runs)
        if program
        else RoleEstimate(_task(plan, asked[False], most=False), _task(plan, asked[True], most=True)),
        RoleEstimate(_optimizer(plan, asked[False], most=False), _optimizer(plan, asked[True], most=True)),
        RoleEstimate(_judge(plan, asked[False], most=False), _judge(plan, asked[True], most=True))
        if plan.judge_model
        else None,
        runs if program else None,
    )


def _task(plan: Plan, asked: Calls, *, most: bool) -> Load:
    """Scoring: dev and train as the method asks for them, and test for two prompts."""
    sums = [_scoring(plan, rows, use, asked, most) for rows, use in _uses(plan, asked)]
    calls, prompt, completion = (sum(parts) for parts in zip(*sums, strict=True))
    return _load(plan.task_model.cost, round(calls), round(prompt), round(completion))


def _of_program(plan: Plan, runs: ProgramRuns) -> RoleEstimate:
    """A program's own work uses no tokens that anybody counts."""
    if not runs.one_call:
        return RoleEstimate(Load(), Load())
    cost = plan.task_model.cost
    return RoleEstimate(_load(cost, runs.expected, 0, 0), _load(cost, runs.most, 0, 0))


def _runs(plan: Plan, asked: Calls) -> int:
    return round(sum(use.total for _, use in _uses(plan, asked)))


def _uses(plan: Plan, asked: Calls) -> list[tuple[Sequence[Example], RowUse]]:
    splits = plan.task.splits
    uses = (
        (splits.dev, asked.dev),
        (splits.train, asked.train),
        (splits.test, RowUse((2,) * len(splits.test))),
    )
    return [(rows, use) for rows, use in uses if rows and use.total]


def _judge(plan: Plan, asked: Calls, *, most: bool) -> Load:
    """A verdict on every reply, and on what people have scored. Answers that are alike are judged once, which nobody
    knows beforehand."""
    judge, task = plan.task.metric.judge, plan.task
    assert judge is not None
    assert plan.judge_model is not None
    limit = plan.scorer.second_round_tokens if task.asks_again else plan.scorer.max_tokens
    answer = limit if most else limit * BYTES_A_TOKEN // REPLY_SHARE
    people = judge.human_scores([*task.splits.train, *task.splits.dev])
    calls = len(people)
    prompt: float = sum(
        _tokens(judge.messages(item.answer, task.targets(item.example), item.example), 0, most)
        for item in people
    )
    for rows, use in _uses(plan, asked):
        sizes = [_tokens(judge.messages("", task.targets(row), row), answer, most) for row in rows]
        calls += round(use.total)
        prompt += _most(sizes, use) if most else use.total * sum(sizes) / len(sizes)
    return _load(plan.judge_model.cost, calls, round(prompt), calls * _reply(plan.scorer.judge_tokens, most))


def _scoring(
    plan: Plan, rows: Sequence[Example], use: RowUse, asked: Calls, most: bool
) -> tuple[float, float, float]:
    """Calls, prompt tokens and completion tokens. Nobody knows which rows are asked most often: at most they are the
    longest, and expected they are like all."""
    shown = _demonstration_bytes(plan, asked, most)
    sizes = [scoring_rounds(plan, example, most, asked.prompt_tokens, shown) for example in rows]
    prompts = [sum(prompt for prompt, _ in rounds) for rounds in sizes]
    replies = [sum(completion for _, completion in rounds) for rounds in sizes]
    calls = use.total * len(sizes[0])
    if not most:
        return calls, use.total * sum(prompts) / len(rows), use.total * sum(replies) / len(rows)
    return calls, _most(prompts, use), _most(replies, use)


def _most(tokens: Sequence[int], use: RowUse) -> int:
    longest = sorted(tokens, reverse=True)
    known = sum(times * size for times, size in zip(use.times, longest, strict=False))
    return known + use.pairs * longest[0]


def _optimizer(plan: Plan, asked: Calls, *, most: bool) -> Load:
    """The calls that the method makes of the optimizer model."""
    sizes = _text_sizes(plan, asked, most)
    calls = sum(call.count for call in asked.optimizer)
    prompt = sum(call.count * sizes.tokens(call.content) for call in asked.optimizer)
    completion = sum(call.count * call.n * _reply(call.max_tokens, most) for call in asked.optimizer)
    if tried := probe_request(plan):
        calls += 1
        prompt += _tokens(tried.messages, 0, most)
        completion += tried.n * _reply(tried.max_tokens, most)
    return _load(plan.optimizer_model.cost, calls, round(prompt), completion)


def _text_sizes(plan: Plan, asked: Calls, most: bool) -> TextSizes:
    """In tokens: one a byte at most, and what `BYTES_A_TOKEN` says expected."""
    scale = 1 if most else 1 / BYTES_A_TOKEN
    share = 1 if most else 1 / REPLY_SHARE
    splits = plan.task.splits
    examples = count_example_bytes(plan.task, [*splits.train, *splits.format]) or [0]
    prompt = max(count_bytes(plan.prompt), asked.prompt_tokens if most else CANDIDATE_BYTES)
    return TextSizes(
        templates=scale * count_template_bytes(asked.templates),
        frame=scale * (CALL_OVERHEAD + CHAT_TURNS * MESSAGE_OVERHEAD),
        prompt=scale * (prompt + WRAP_BYTES),
        example=scale * (max(examples) if most else sum(examples) / len(examples)),
        reply=share * plan.scorer.max_tokens,
        heard=share,
    )


def _demonstration_bytes(plan: Plan, asked: Calls, most: bool) -> int:
    """Of worked examples within a prompt, each with the prompt's words beside it: as many and as long as can be, and
    expected half as many of usual length."""
    if not asked.demonstrations:
        return 0
    sizes = count_example_bytes(plan.task, list(plan.task.splits.train))
    words = max(count_bytes(plan.prompt), asked.prompt_tokens if most else CANDIDATE_BYTES)
    each = words + 2 * MESSAGE_OVERHEAD + (max(sizes) if most else sum(sizes) // len(sizes))
    return asked.demonstrations * each // (1 if most else 2)


def scoring_rounds(
    plan: Plan, example: Example, most: bool, written: int | None = None, shown: int = 0
) -> list[tuple[int, int]]:
    """(prompt, completion) tokens of each round on one example. A candidate is no longer than what the optimizer model
    may write: `written` tokens, by default what the configuration says; `shown` are the bytes of its demonstrations."""
    size = count_bytes(plan.prompt)
    limit = plan.max_tokens if written is None else written
    expected = CANDIDATE_BYTES if limit else 0
    longer = max(0, (limit if most else expected) - size) + shown
    opening = plan.task.opening(plan.prompt, example)
    form = [count_bytes(plan.task.reply_format(example, closing=closing)) for closing in (False, True)]
    rounds = [(_tokens(opening, longer + form[0], most), _reply(plan.scorer.max_tokens, most))]
    closing = plan.task.closing(opening, "")
    if closing is not None:
        heard = plan.scorer.max_tokens if most else plan.scorer.max_tokens * BYTES_A_TOKEN // REPLY_SHARE
        rounds.append(
            (_tokens(closing, longer + heard + form[1], most), _reply(plan.scorer.second_round_tokens, most))
        )
    return rounds


def _tokens(text: tuple[Message, ...] | str, more: int, most: bool) -> int:
    request = Request(prompt=text) if isinstance(text, str) else Request(messages=text)
    bound = prompt_bound(request) + more
    return bound if most else bound // BYTES_A_TOKEN


def _reply(limit: int, most: bool) -> int:
    return limit if most else max(1, limit // REPLY_SHARE)


def _load(cost: Callable[[Any], float | None], calls: int, prompt: int, completion: int) -> Load:
    usd = cost(Usage(prompt_tokens=prompt, completion_tokens=completion))
    return Load(calls, prompt, completion, usd)
