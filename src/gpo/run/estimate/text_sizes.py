"""From what a prompt holds to its tokens: the rules of thumb that estimate and context size share, each in one place.

A byte-pair token covers at least one byte of UTF-8, so bytes are tokens at most.
"""

from __future__ import annotations

from dataclasses import dataclass

from gpo.optimizer.calls import PromptContent
from gpo.optimizer.templates import TEXTS
from gpo.task.example import Example
from gpo.task.task import Task

BYTES_A_TOKEN = 4
"""Of prose and code, on average: what is expected."""
DENSE_BYTES_A_TOKEN = 2
"""What nearly every text keeps to: for room that a prompt has to fit into, and that may be missed by a few."""
REPLY_SHARE = 3
"""A reply takes a third of its limit, expected."""
CANDIDATE_BYTES = 200
"""Of a prompt that the optimizer model writes, expected."""
WORD_BYTES = 8
"""Of a candidate's words, with their spaces."""
WRAP_BYTES = 80
"""Words that a template puts around a prompt or an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSizes:
    """Tokens of what optimizer prompts are made of: a task prompt, an example with its answer, a reply of the task
    model. `templates` are all templates of a method together and `frame` what a chat adds; `heard` is the share of its
    limit that an earlier optimizer reply takes."""

    templates: float
    frame: float
    prompt: float
    example: float
    reply: float
    heard: float

    def tokens(self, content: PromptContent) -> float:
        """Tokens of one prompt."""
        return (
            self.templates
            + self.frame
            + content.prompts * self.prompt
            + (content.examples + content.failures) * self.example
            + content.failures * self.reply
            + content.reply_tokens * self.heard
        )


def count_template_bytes(folder: str) -> int:
    """Of all templates in a folder of `texts/`."""
    return sum(path.stat().st_size for path in (TEXTS / folder).glob("*.jinja"))


def count_bytes(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def count_example_bytes(task: Task, examples: list[Example]) -> list[int]:
    """Of each example as the optimizer model is shown it, with its answer and the words around it."""
    return [count_bytes(task.with_slot(example)) + WRAP_BYTES for example in examples]
