"""Room for a start prompt that is longer than candidates may be: as it stands, no candidate like it could be
accepted."""

from __future__ import annotations

from gpo.config.schema import Config

_MOST_TOKENS_A_WORD = 8
"""A small `max_words` is no reason for a limit of tokens without end."""


def make_room(config: Config, prompt: str) -> tuple[Config, str]:
    """`config` with `optimize.max_words` at twice the length of `prompt` where that is over it, and with the optimizer
    model's tokens raised in the same proportion; and one line that says so, "" where nothing changes."""
    words, most = len(prompt.split()), config.optimize.max_words
    if words <= most:
        return config, ""
    room, tokens = 2 * words, config.models.optimizer.max_tokens
    raised = max(tokens, min(-(-tokens * room // most), _MOST_TOKENS_A_WORD * room))
    optimizer = config.models.optimizer.model_copy(update={"max_tokens": raised})
    larger = config.model_copy(
        update={
            "optimize": config.optimize.model_copy(update={"max_words": room}),
            "models": config.models.model_copy(update={"optimizer": optimizer}),
        }
    )
    more = f" and models.optimizer.max_tokens from {tokens} to {raised}" if raised > tokens else ""
    return larger, (
        f"the start prompt has {words} words, more than optimize.max_words: {most}; the run raises that to {room}{more}"
    )
