"""Models that follow a script, for searches whose every score is worked out by hand.

The task model is right about row i with a prompt where the script says so, and may refuse a (prompt, row) pair; the
optimizer model replies with what stands next in its script, and keeps what it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gpo.errors import PermanentModelError
from gpo.evaluation.score import Scorer
from gpo.model.model import Reply, Request
from gpo.optimizer.templates import Templates
from gpo.optimizer.workbench import Workbench
from gpo.task.task import Task

ROW = re.compile(r"(train|dev) row (\d+)\?")


@dataclass
class ScriptedTaskModel:
    """`right` has the dev rows by prompt; train rows are all answered wrongly, but for the numbers in `train_right`."""

    right: Mapping[str, Collection[int]]
    refused: Collection[tuple[str, int]] = ()
    train_right: Collection[int] = ()
    identity: str = "scripted"
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """(prompt, split, row) in the order of asking."""

    async def complete(self, request: Request) -> Reply:
        text = request.messages[-1].content
        found = ROW.search(text)
        assert found
        split, row = found[1], int(found[2])
        prompt = max((p for p in self.right if p in text.splitlines()), key=len)
        self.asked.append((prompt, split, row))
        if split == "dev" and (prompt, row) in self.refused:
            raise PermanentModelError("refused", scope="call")
        right = row in (self.right[prompt] if split == "dev" else self.train_right)
        return Reply(texts=("yes" if right else "no",))

    async def aclose(self) -> None:
        pass


@dataclass
class ScriptedOptimizer:
    """`replies` are one list a request for candidates, in their order; any other request is answered `told`."""

    replies: Sequence[Sequence[str]] = ()
    told: str = "It says too little."
    identity: str = "scripted"
    requests: list[Request] = field(default_factory=list)

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.purpose != "candidates":
            return Reply(texts=(self.told,))
        texts = self.replies[len(self.asked("candidates")) - 1]
        return Reply(texts=tuple(f"<START>{text}<END>" for text in texts))

    async def aclose(self) -> None:
        pass

    def asked(self, purpose: str) -> list[Request]:
        return [request for request in self.requests if request.purpose == purpose]

    def texts(self, purpose: str = "candidates") -> list[str]:
        return [request.messages[-1].content for request in self.asked(purpose)]


def workbench(
    model: ScriptedTaskModel, optimizer: ScriptedOptimizer, *, train: int = 8, dev: int = 4, seed: int = 0
) -> Workbench:
    """A task of numbered rows, whose right answer is always yes."""
    rows = {
        name: [{"input": f"{name} row {i}?", "target": "yes"} for i in range(size)]
        for name, size in (("train", train), ("dev", dev), ("test", 1))
    }
    task = Task.from_rows(rows, answer={"kind": "label", "labels": ["yes", "no"]})

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        raise AssertionError("nothing is embedded")

    return Workbench(
        task=task,
        scorer=Scorer(task, model),
        optimizer=optimizer,
        templates=Templates(),
        embed=embed,
        seed=seed,
    )
