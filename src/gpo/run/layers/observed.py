"""What the replies of one role say about its endpoint and its settings: what was left out, what was cut.

A pure function of the answers, so a run that goes on says the same.
"""

from __future__ import annotations

from collections.abc import Callable

from gpo.evaluation.replies import MOST_USELESS
from gpo.model.model import Reply, Request

_LEFT_OUT = {
    "temperature": "the endpoint does not take temperature, so every reply is sampled and kept for no other run",
    "max_tokens": "the endpoint takes max_completion_tokens in place of max_tokens",
    "n": "the endpoint does not take n: completions are asked for one by one",
    "seed": "the endpoint does not take seed, so another run may get other replies",
    "response_format": "the endpoint does not take response_format: no reply is held to task.answer.structured",
    "stop": "the endpoint does not take stop: replies are cut here",
    "system": "the endpoint takes no system turn: the prompt stands at the beginning of the user turn (task.position)",
}


class Observed:
    """What was seen of one `role`. `note` is told of every parameter that is left out, once."""

    def __init__(self, role: str, note: Callable[[str], None] | None = None) -> None:
        self.role = role
        self.left_out: tuple[str, ...] = ()
        self.texts = 0
        self.cut = 0
        self.empty = 0
        self.reasoned = 0
        self.max_tokens = 0
        self._note = note

    def see(self, request: Request, reply: Reply) -> None:
        """One more call, counted once."""
        for name in reply.left_out:
            if name not in self.left_out:
                self.left_out = tuple(sorted((*self.left_out, name)))
                if self._note:
                    self._note(self._left_out_line(name))
        self.texts += len(reply.texts)
        for index, cut in enumerate(reply.cut):
            if cut:
                self.cut += 1
                self.empty += not reply.texts[index].strip()
                self.max_tokens = max(self.max_tokens, request.max_tokens)
        self.reasoned += sum(map(bool, reply.reasoning))

    def left_out_lines(self) -> list[str]:
        """What the endpoint does not take, a line each."""
        return [self._left_out_line(name) for name in self.left_out]

    def cut_lines(self) -> list[str]:
        """That many replies were cut, where they are more than a fifth."""
        if not self.texts or self.cut <= MOST_USELESS * self.texts:
            return []
        thought = " while the model was thinking" if self.empty and self.reasoned else ""
        without = f", {self.empty} of them without any answer{thought}" if self.empty else ""
        return [
            f"{self.cut:,} of {self.texts:,} replies were cut at models.{self.role}.max_tokens: "
            f"{self.max_tokens}{without}; raise it"
        ]

    def _left_out_line(self, name: str) -> str:
        return f"models.{self.role}: {_LEFT_OUT.get(name, f'the endpoint does not take {name}')}"
