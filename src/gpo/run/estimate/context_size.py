"""How long the requests of a run will be, for an engine whose slots are as long as they have to be.

Knows the configuration and the task's texts. Tokens are counted as half the bytes, which holds for prose and code with
room to spare; a request that is longer all the same is refused by the engine and counted as such.
"""

from __future__ import annotations

from gpo.config.schema import Config
from gpo.model.local.engine_fit import USUAL, Needs
from gpo.task.example import Example
from gpo.task.task import Opening, Task

BYTES_A_TOKEN = 2
WORD_BYTES = 8
"""Of a candidate's words, with their spaces."""
TEMPLATE_BYTES = 5_000
FAILURES = 4
"""Failed examples in a reflection."""
CHAT_TOKENS = 64
"""A chat template's own tokens."""


def engine_needs(config: Config, task: Task, prompt: str) -> dict[str, Needs]:
    """By role, for a run that starts from `prompt`. Roles with the same weights share an engine, so both get what the
    greedier one needs."""
    found = {"task": _task(config, task, prompt), "optimizer": _optimizer(config, task, prompt)}
    if config.models.task.model == config.models.optimizer.model:
        both = found["task"].joined(found["optimizer"])
        return dict.fromkeys(found, both)
    return found


def _task(config: Config, task: Task, prompt: str) -> Needs:
    rows = [example for name in ("train", "dev", "test") for example in task.examples(name)]
    if not rows:
        return Needs()
    # Candidates keep the placeholders of `prompt`, so what these are filled with is in each of them; their own words
    # may be more, and stand before every demonstration.
    most = _prompt_bytes(config, prompt)
    size = max(
        _asked(task, text, example) + (1 + task.demonstrations) * (most - _bytes(text))
        for example in rows
        for text in ("", prompt)
    )
    tokens = size // BYTES_A_TOKEN + CHAT_TOKENS + config.models.task.max_tokens
    if task.rounds == 2:
        tokens += CHAT_TOKENS + task.second_round_tokens
    return Needs(longest=tokens)


def _asked(task: Task, prompt: str, example: Example) -> int:
    """Bytes of the last round on `example`, without replies."""
    opening = task.opening(prompt, example)
    return _size(task.closing(opening, "") or opening)


def _optimizer(config: Config, task: Task, prompt: str) -> Needs:
    rows = [example for name in ("train", "format", "demos") for example in task.examples(name)]
    longest = max((_bytes(task.with_slot(example)) for example in rows), default=0)
    settings = config.optimize
    shown = max(settings.task_examples, FAILURES)
    size = TEMPLATE_BYTES + shown * longest + (settings.k + 1) * _prompt_bytes(config, prompt)
    heard = FAILURES * config.models.task.max_tokens + 2 * config.models.optimizer.max_tokens
    # Own templates and published protocols show more: the usual context is the least.
    return Needs(longest=max(USUAL, size // BYTES_A_TOKEN + CHAT_TOKENS + heard), at_once=settings.candidates)


def _prompt_bytes(config: Config, prompt: str) -> int:
    return max(_bytes(prompt), config.optimize.max_words * WORD_BYTES)


def _size(opening: Opening) -> int:
    texts = [opening] if isinstance(opening, str) else [message.content for message in opening]
    return sum(_bytes(text) for text in texts)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
