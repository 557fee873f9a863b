"""The interface that every reader of answers has."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

Answer = str | float | tuple[str, ...]
Prediction = Answer | None
"""What was read from a reply; None where nothing could be (never the first class, never a guess)."""


@runtime_checkable
class AnswerReader(Protocol):
    """Brings replies and targets to the same form, so that a metric can compare them.

    `form` finishes "each answer is …" for the optimizer model ("" where nothing can be said), `request` is the user
    turn that asks for the bare answer after a first reply, and `continuation` is what a base model is given in place
    of that turn.
    """

    @property
    def form(self) -> str: ...

    @property
    def request(self) -> str: ...

    @property
    def continuation(self) -> str: ...

    def read(self, text: str, question: str = "") -> Prediction:
        """The answer in `text`, a reply to `question`; None where there is none or more than one."""

    def normal(self, target: str | float, question: str = "") -> Answer:
        """The expected answer in the form of `read`. Raises `ValueError` with what is allowed instead."""


@runtime_checkable
class CutReader(Protocol):
    """A reader that knows replies which were cut off at their length."""

    def read_cut(self, text: str, question: str = "") -> Prediction:
        """The answer that `text` had given before it broke off; None where it had not come to one."""


def read_reply(reader: AnswerReader, text: str, question: str = "", *, cut: bool = False) -> Prediction:
    """The answer in `text`; `cut` says that it ended at its length and not by itself."""
    if cut and isinstance(reader, CutReader):
        return reader.read_cut(text, question)
    return reader.read(text, question)
