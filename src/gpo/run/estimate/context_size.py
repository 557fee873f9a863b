"""How long the requests of a run will be, for an engine whose slots are as long as they have to be.

Reads the configuration and the task's texts. A request that is longer all the same is refused by the engine and
counted as such.
"""

from __future__ import annotations

from functools import reduce

from gpo.config.schema import Config
from gpo.model.address import is_embedded
from gpo.model.local.engine import MICRO_BATCH
from gpo.model.local.engine_fit import USUAL, Needs
from gpo.optimizer.calls import Calls
from gpo.run.estimate.text_sizes import (
    DENSE_BYTES_A_TOKEN,
    WORD_BYTES,
    WRAP_BYTES,
    TextSizes,
    count_bytes,
    count_example_bytes,
    count_template_bytes,
)
from gpo.task.example import Example
from gpo.task.task import Opening, Task

CHAT_TOKENS = 64
"""A chat template's own tokens."""


def engine_needs(config: Config, task: Task, prompt: str, asked: Calls | None = None) -> dict[str, Needs]:
    """By role, for a run that starts from `prompt` with a method that may ask for `asked` (None: for nothing).
    Roles with the same weights share an engine, so both get what the greedier one needs."""
    asked = asked or Calls()
    found = {
        "task": _task(config, task, prompt, asked.demonstrations),
        "optimizer": _optimizer(config, task, prompt, asked),
    }
    if task.metric.judge and config.models.judge:
        found["judge"] = _judge(config, task, config.models.judge.max_tokens)
    models = config.models.all_roles()
    if (embedder := config.models.embedder) and is_embedded(embedder):
        # One short request at a time: of a text the beginning counts.
        found["embedder"] = Needs(longest=MICRO_BATCH, at_once=1, embeds=True)
    return {
        role: reduce(
            Needs.join, (found[other] for other in found if models[other].model == models[role].model)
        )
        for role in found
    }


def _judge(config: Config, task: Task, reply: int) -> Needs:
    judge = task.metric.judge
    rows = [example for name in ("train", "dev", "test") for example in task.examples(name)]
    asked = [_size(judge.messages("", task.targets(example), example)) for example in rows] if judge else []
    tokens = max(asked, default=0) // DENSE_BYTES_A_TOKEN + config.models.task.max_tokens
    return Needs(longest=max(USUAL, tokens + CHAT_TOKENS + reply))


def _task(config: Config, task: Task, prompt: str, shown: int) -> Needs:
    if task.program is not None:
        return Needs()  # what it asks is its own business
    rows = [example for name in ("train", "dev", "test") for example in task.examples(name)]
    if not rows:
        return Needs()
    # Candidates keep the placeholders of `prompt`, so what these are filled with is in each of them; their own words
    # may be more, and stand before every demonstration.
    most = _prompt_bytes(config, prompt)
    size = max(
        _measure_request(task, text, example) + (1 + task.demonstrations) * (most - count_bytes(text))
        for example in rows
        for text in ("", prompt)
    )
    # The `shown` demonstrations that a candidate may have of its own, each with the words beside it.
    size += shown * (most + max(count_example_bytes(task, [*task.splits.train]), default=0))
    tokens = size // DENSE_BYTES_A_TOKEN + CHAT_TOKENS + config.models.task.max_tokens
    if task.rounds == 2:
        tokens += CHAT_TOKENS + task.second_round_tokens
    return Needs(longest=tokens)


def _measure_request(task: Task, prompt: str, example: Example) -> int:
    """Bytes of the last round on `example`, without replies."""
    opening = task.opening(prompt, example)
    return _size(task.closing(opening, "") or opening)


def _optimizer(config: Config, task: Task, prompt: str, asked: Calls) -> Needs:
    rows = [example for name in ("train", "format") for example in task.examples(name)]
    sizes = TextSizes(
        templates=count_template_bytes(asked.templates) / DENSE_BYTES_A_TOKEN,
        frame=CHAT_TOKENS,
        prompt=(_prompt_bytes(config, prompt) + WRAP_BYTES) / DENSE_BYTES_A_TOKEN,
        example=max(count_example_bytes(task, rows), default=0) / DENSE_BYTES_A_TOKEN,
        reply=config.models.task.max_tokens,
        heard=1,
    )
    lengths = [sizes.tokens(call.content) + call.max_tokens for call in asked.optimizer]
    # Own templates and own parts may show more: the usual context is the least.
    return Needs(longest=max(USUAL, round(max(lengths, default=0))), at_once=config.optimize.candidates)


def _prompt_bytes(config: Config, prompt: str) -> int:
    return max(count_bytes(prompt), config.optimize.max_words * WORD_BYTES)


def _size(opening: Opening) -> int:
    texts = [opening] if isinstance(opening, str) else [message.content for message in opening]
    return sum(count_bytes(text) for text in texts)
