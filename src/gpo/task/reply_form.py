"""What a reply must be, for its answer to be read: what a prompt has to see to."""

from __future__ import annotations

from typing import Literal

from gpo.task.answer.text import TextReader
from gpo.task.task import Task

ReplyForm = Literal["free", "ends", "bare", "whole", "unknown"]

ROOM = 64
"""Tokens, beyond those of the answer, from which a reply has room for more than the answer alone."""
BYTES_A_TOKEN = 3


def choose_reply_form(task: Task, max_tokens: int) -> ReplyForm:
    """What the first reply, of at most `max_tokens` tokens, must be.

    `free`: anything, as a second turn asks for the answer; `ends`: it ends with the answer; `bare`: it is the answer
    alone, as there is no room for more; `whole`: all of it is the answer; `unknown`: that is an own reader's business.
    """
    if task.asks_again:
        return "free"
    if type(task.answer) is TextReader:
        return "whole"
    if not task.answer_form and not task.answer_choices:
        return "unknown"
    longest = max((len(text.encode("utf-8", "replace")) for text in task.answer_texts), default=0)
    return "ends" if max_tokens >= ROOM + longest // BYTES_A_TOKEN else "bare"
