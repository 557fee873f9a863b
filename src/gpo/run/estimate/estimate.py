"""What a run may cost, before any call is made: calls, tokens and dollars of both models, expected and at most.

Knows the plan's sizes and the texts of the task; it does not know what the models will say. "At most" takes every
step, every resampling round and every reply at its limit, and a token for each byte of a prompt, which no byte-pair
tokenizer exceeds. "Expected" takes no resampling, four bytes a token and replies of a third of their limit: a rule of
thumb. Retries, patience and answers from the store are left out of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gpo.config.published import PublishedConfig
from gpo.config.schema import BudgetConfig
from gpo.evaluation.race import evaluations_per_row
from gpo.model.model import Message, Request, Usage
from gpo.optimizer.information import PromptInformation
from gpo.optimizer.methods import Method
from gpo.optimizer.templates import TEXTS
from gpo.optimizer.trajectory import NoTrajectory, Summarization
from gpo.run.estimate.estimate_published import Volume, prompt_tokens, volume
from gpo.run.layers.budget import CALL_OVERHEAD, MESSAGE_OVERHEAD, prompt_bound
from gpo.run.plan import Plan
from gpo.task.example import Example

BYTES_A_TOKEN = 4
REPLY_SHARE = 3
"""A reply takes a third of its limit, expected."""
CANDIDATE_BYTES = 200
ROW_BYTES = 80
"""Words that a template puts around a prompt or a row."""

Asked = tuple[list[tuple[int, int]], float]
"""An example's rounds, each as (prompt, completion) tokens, and how often they are asked."""


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


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of both models."""

    task: RoleEstimate
    optimizer: RoleEstimate

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def estimate(plan: Plan) -> Estimate:
    """Sizes of `plan` in calls, tokens and dollars. Makes no call."""
    if not isinstance(plan.method, Method):
        return _published(plan, plan.method.settings)
    return Estimate(
        RoleEstimate(_task(plan, most=False), _task(plan, most=True)),
        RoleEstimate(_optimizer(plan, most=False), _optimizer(plan, most=True)),
    )


def lines(found: Estimate, budget: BudgetConfig) -> list[str]:
    """For a person; the last line says which cap of `budget` the run would meet."""
    rows = [("", "calls", "prompt tokens", "completion tokens", "dollars")]
    for role in ("task", "optimizer"):
        for kind in ("expected", "most"):
            load: Load = getattr(getattr(found, role), kind)
            usd = "unknown" if load.usd is None else f"{load.usd:,.4f}"
            name = f"{role}, {'at most' if kind == 'most' else kind}"
            rows.append(
                (name, f"{load.calls:,}", f"{load.prompt_tokens:,}", f"{load.completion_tokens:,}", usd)
            )
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    shown = [
        "  ".join(f"{cell:<{width}}" if i == 0 else f"{cell:>{width}}" for i, (cell, width) in pairs).rstrip()
        for pairs in (enumerate(zip(row, widths, strict=True)) for row in rows)
    ]
    return [*shown, *_caps(found, budget)]


def _caps(found: Estimate, budget: BudgetConfig) -> list[str]:
    def total(kind: str, value: Callable[[Load], float | None]) -> float | None:
        parts = [value(getattr(role, kind)) for role in (found.task, found.optimizer)]
        return None if None in parts else sum(part for part in parts if part is not None)

    caps: list[tuple[str, float | None, Callable[[Load], float | None]]] = [
        ("max_calls", budget.max_calls, lambda load: load.calls),
        ("max_tokens", budget.max_tokens, lambda load: load.prompt_tokens + load.completion_tokens),
        ("max_usd", budget.max_usd, lambda load: load.usd),
    ]
    said = []
    for name, cap, value in caps:
        expected, most = total("expected", value), total("most", value)
        if cap is None or expected is None or most is None:
            continue
        if expected > cap:
            said.append(f"budget.{name} ({cap:,g}) is expected to stop the run before its end")
        elif most > cap:
            said.append(f"budget.{name} ({cap:,g}) may stop the run before its end")
    return said


def _task(plan: Plan, *, most: bool) -> Load:
    """Scoring: dev for every prompt, test for two, and the train batches that a reflection reads."""
    task = plan.task
    rounds: list[Asked] = [(scoring_rounds(plan, example, most), 2) for example in task.splits.test]
    if _reflects(plan) and task.splits.train:
        rounds += [
            (scoring_rounds(plan, example, most), 1) for example in task.splits.train
        ] * plan.optimize.epochs
    dev = _dev(plan, [scoring_rounds(plan, example, most) for example in task.splits.dev], most)
    calls, prompt, completion = (sum(parts) for parts in zip(dev, _sums(rounds), strict=True))
    return _load(plan.task_model.cost, round(calls), round(prompt), round(completion))


def _sums(rounds: Sequence[Asked]) -> tuple[float, float, float]:
    """Calls, prompt tokens and completion tokens."""
    return (
        sum(times * len(parts) for parts, times in rounds),
        sum(times * sum(prompt for prompt, _ in parts) for parts, times in rounds),
        sum(times * sum(completion for _, completion in parts) for parts, times in rounds),
    )


def _dev(plan: Plan, sizes: Sequence[list[tuple[int, int]]], most: bool) -> tuple[float, ...]:
    """The sums over the dev examples. A race meets some more often than others: nobody knows which, and at most they
    are the longest. Where candidates are rejected it takes less."""
    loop = plan.loop
    if not loop.racing:
        return _sums([(parts, 1 + loop.steps * loop.candidates) for parts in sizes])
    met = evaluations_per_row(loop.candidates, len(sizes))
    if not most:
        return _sums([(parts, 1 + loop.steps * sum(met) / len(met)) for parts in sizes])
    longest = sorted(sizes, key=lambda parts: -sum(prompt + completion for prompt, completion in parts))
    return _sums([(parts, 1 + loop.steps * times) for parts, times in zip(longest, met, strict=True)])


def _published(plan: Plan, settings: PublishedConfig | None) -> Estimate:
    """Of a published protocol, or of a method that only evaluates (`settings` None)."""
    splits, found = plan.task.splits, []
    for most in (False, True):
        used = Volume(len(splits.dev), 0, (), 0)
        if settings is not None:
            used = volume(settings, train=len(splits.train), dev=len(splits.dev), most=most)
        pairs = ((splits.dev, used.dev), (splits.train, used.train), (splits.test, 2 * len(splits.test)))
        loads = [_pairs(plan, rows, count, used.written, most) for rows, count in pairs if rows and count]
        calls, prompt, completion = (sum(parts) for parts in zip(*loads, strict=True))
        found.append((_load(plan.task_model.cost, calls, prompt, completion), _writing(plan, used, most)))
    (task, optimizer), (task_most, optimizer_most) = found
    return Estimate(RoleEstimate(task, task_most), RoleEstimate(optimizer, optimizer_most))


def _pairs(plan: Plan, rows: Sequence[Example], count: int, written: int, most: bool) -> tuple[int, int, int]:
    """Calls, prompt and completion tokens of `count` pairs of a prompt and one of `rows`, nobody knows which."""
    sizes = [scoring_rounds(plan, example, most, written) for example in rows]
    prompts = [sum(prompt for prompt, _ in parts) for parts in sizes]
    completions = [sum(completion for _, completion in parts) for parts in sizes]
    if most:
        return count * len(sizes[0]), count * max(prompts), count * max(completions)
    return (
        count * len(sizes[0]),
        count * sum(prompts) // len(prompts),
        count * sum(completions) // len(completions),
    )


def _writing(plan: Plan, used: Volume, most: bool) -> Load:
    """The optimizer's calls in a published protocol."""
    rows = [
        len(plan.task.with_slot(example).encode("utf-8", "surrogatepass"))
        + len(plan.task.target_text(example).encode("utf-8", "surrogatepass"))
        for example in plan.task.splits.train
    ]
    answer = plan.scorer.max_tokens if most else plan.scorer.max_tokens * BYTES_A_TOKEN // REPLY_SHARE
    row = ((max(rows) if most else sum(rows) // len(rows)) if rows else 0) + answer + ROW_BYTES
    own = len(plan.prompt.encode("utf-8", "surrogatepass"))
    prompt = prompt_tokens(
        used.kinds,
        template=sum(path.stat().st_size for path in (TEXTS / "published").glob("*.jinja")),
        prompt=(max(own, used.written) if most else CANDIDATE_BYTES) + ROW_BYTES,
        row=row,
        overhead=CALL_OVERHEAD + 5 * MESSAGE_OVERHEAD,
    )
    calls = sum(kind.calls for kind in used.kinds)
    completion = sum(kind.calls * kind.n * _reply(kind.max_tokens, most) for kind in used.kinds)
    return _load(plan.optimizer_model.cost, calls, prompt if most else prompt // BYTES_A_TOKEN, completion)


def scoring_rounds(
    plan: Plan, example: Example, most: bool, written: int | None = None
) -> list[tuple[int, int]]:
    """(prompt, completion) tokens of each round on one example. A candidate is no longer than what the optimizer model
    may write: `written` tokens, by default what the configuration says."""
    size = len(plan.prompt.encode("utf-8", "surrogatepass"))
    limit = plan.max_tokens if written is None else written
    longer = max(0, (limit if most else CANDIDATE_BYTES) - size)
    opening = plan.task.opening(plan.prompt, example)
    rounds = [(_tokens(opening, longer, most), _reply(plan.scorer.max_tokens, most))]
    closing = plan.task.closing(opening, "")
    if closing is not None:
        heard = plan.scorer.max_tokens if most else plan.scorer.max_tokens * BYTES_A_TOKEN // REPLY_SHARE
        rounds.append((_tokens(closing, longer + heard, most), _reply(plan.scorer.second_round_tokens, most)))
    return rounds


def _optimizer(plan: Plan, *, most: bool) -> Load:
    """One call for the candidates of a step and one a resampling round; reflections and summaries beside them."""
    loop = plan.loop
    prompt_bytes = max(
        len(plan.prompt.encode("utf-8", "surrogatepass")), plan.max_tokens if most else CANDIDATE_BYTES
    )
    examples = [
        len(plan.task.with_slot(example).encode("utf-8", "surrogatepass"))
        for example in plan.task.splits.train
    ]
    longest = (max(examples) if most else sum(examples) // len(examples)) if examples else 0
    shown = 1 if _follows(plan, NoTrajectory) else plan.optimize.k
    texts = sum(path.stat().st_size for path in TEXTS.glob("*.jinja"))
    meta = texts + shown * (prompt_bytes + 80) + loop.meta_prompt.task_examples * longest
    replies = prompt_bytes if most else CANDIDATE_BYTES
    rounds = 1 + (loop.resamples if most else 0)
    calls = loop.steps * rounds
    prompt, completion = meta * calls, calls * loop.candidates * _reply(plan.max_tokens, most)
    if _reflects(plan):
        failures = 4 * (longest + 2 * plan.scorer.max_tokens)
        prompt += loop.steps * (texts + prompt_bytes + failures)
        completion += loop.steps * _reply(plan.max_tokens, most)
        calls += loop.steps
        prompt += (shown if most else 1) * loop.steps * replies
    if _follows(plan, Summarization):
        prompt += loop.steps * (texts + 3 * max(prompt_bytes, plan.max_tokens))
        completion += loop.steps * _reply(plan.max_tokens, most)
        calls += loop.steps
    return _load(plan.optimizer_model.cost, calls, prompt if most else prompt // BYTES_A_TOKEN, completion)


def _reflects(plan: Plan) -> bool:
    information = plan.method.information if isinstance(plan.method, Method) else None
    return isinstance(information, PromptInformation) and information.reflection


def _follows(plan: Plan, kind: type) -> bool:
    return isinstance(plan.method, Method) and isinstance(plan.method.trajectory, kind)


def _tokens(text: tuple[Message, ...] | str, more: int, most: bool) -> int:
    request = Request(prompt=text) if isinstance(text, str) else Request(messages=text)
    bound = prompt_bound(request) + more
    return bound if most else bound // BYTES_A_TOKEN


def _reply(limit: int, most: bool) -> int:
    return limit if most else max(1, limit // REPLY_SHARE)


def _load(cost: Callable[[Any], float | None], calls: int, prompt: int, completion: int) -> Load:
    usd = cost(Usage(prompt_tokens=prompt, completion_tokens=completion))
    return Load(calls, prompt, completion, usd)
