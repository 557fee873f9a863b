"""Run directories to look at: real runs on a small arithmetic task, and journals of any size written step by step."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import gpo
from gpo.model.model import Message, Reply, Request, Usage
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.search import ScoredCandidate, StepRecord
from gpo.optimizer.state import Information, Visited
from gpo.run.journal_writer import EXAMPLES, JournalWriter, prompt_id
from gpo.storage.journal import Journal
from gpo.storage.records import RecordedScore

HELPFUL = ["think", "carefully", "step", "count", "order", "check", "verify", "answer", "only"]
QUESTION = re.compile(r"Is (\d+) \+ (\d+) = (\d+)\?")


def solve(text: str) -> str:
    """The more helpful words the prompt has, the more questions are answered right."""
    found = QUESTION.search(text)
    assert found
    a, b, c = map(int, found.groups())
    luck = int(hashlib.md5(found[0].encode()).hexdigest(), 16) % 100
    words = set(re.findall(r"\w+", text.lower()))
    right = luck < 34 + 9 * len(words & set(HELPFUL))
    return f"Let me see.\nThe answer is {'Yes' if (a + b == c) == right else 'No'}."


def rewrite(text: str, seed: int | None = None) -> str:
    """Mixes the words of the prompts that are shown with helpful ones; a bare answer now and then."""
    draw = random.Random(seed)
    if draw.random() < 0.1:
        return "<START>Yes<END>"
    words = list(dict.fromkeys(w for p in re.findall(r"Prompt: (.*)", text) for w in p.split()))
    kept = draw.sample(words, min(len(words), 4)) + draw.choices([*HELPFUL, "please", "the"], k=3)
    return f"Here it is.\n<START>{' '.join(kept)}<END>"


VOCABULARY = [
    f"{a}{b}{c}"
    for a in ("con", "re", "un", "per", "sub")
    for b in ("sid", "mark", "fol", "test", "lin", "quer")
    for c in ("er", "ing", "able", "s", "ed", "tion", "low", "ate", "or", "al")
]


def solve_at_length(text: str) -> str:
    """As `solve`, after as many words as a small model says before it answers."""
    draw = random.Random(text)
    return f"{' '.join(draw.choices(VOCABULARY, k=40))}\n{solve(text)}"


def wander(text: str, seed: int | None = None) -> str:
    """A prompt as long as real ones are, with a helpful word now and then; never one that ends a search."""
    draw = random.Random(f"{text[-200:]}{seed}")
    words = draw.choices(VOCABULARY, k=60) + draw.sample(HELPFUL, draw.randint(0, 4))
    draw.shuffle(words)
    return f"Here it is.\n<START>{' '.join(words)}<END>"


def sums(count: int, seed: int) -> list[dict[str, str]]:
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        a, b = draw.randint(10, 99), draw.randint(10, 99)
        c = a + b + draw.choice([0, 0, 1, -1])
        rows.append({"input": f"Is {a} + {b} = {c}?", "target": "Yes" if a + b == c else "No"})
    return rows


def run_sums(
    run_dir: Path,
    *,
    seed: int = 0,
    sizes: tuple[int, int, int] = (16, 12, 20),
    method: str = "",
    epochs: int = 1,
    candidates: int = 4,
    prompt: str = "Let's think.",
    at_length: bool = False,
) -> gpo.Result:
    """A real run of the whole program with functions for models."""
    train, dev, test = sizes
    task = gpo.Task.from_rows(
        {"train": sums(train, 1), "dev": sums(dev, 2), "test": sums(test, 3)},
        answer="boolean",
        name="sums",
        allow_overlap=True,
    )
    return gpo.optimize(
        task,
        prompt=prompt,
        models={"task": solve_at_length, "optimizer": wander}
        if at_length
        else {"task": solve, "optimizer": rewrite},
        method=method or {"trajectory": "recency"},  # relevance would load an embedder
        optimize={"epochs": epochs, "candidates": candidates},
        run_dir=run_dir,
        seed=seed,
    )


class Diary:
    """Writes a run's journal step by step, as a process that is at work on it."""

    def __init__(
        self,
        run_dir: Path,
        initial: str = "Start here.",
        *,
        examples: int = 6,
        total: int = 10,
        source: Literal["sent", "store"] = "sent",
    ) -> None:
        run_dir.mkdir(parents=True)
        self.journal = Journal(run_dir / "journal.sqlite")
        self.notebook = JournalWriter(self.journal)
        self.total = total
        self.source = source
        self.visited: list[tuple[str, float]] = []
        self.best = (initial, 0.0)
        self.examples = {f"dev:{i + 1}": [f"Question {i + 1}?", "Yes"] for i in range(examples)}
        model = {"model": "openai/gpt-4o-mini", "price": {"input": 1.0, "output": 2.0}}
        config = {"task": {"data": "diary"}, "prompt": initial, "method": "gpo", "seed": 7}
        self.journal.put_meta("config", {**config, "models": {"task": model, "optimizer": model}})
        self.journal.put_meta(f"{EXAMPLES}dev", self.examples)
        self.journal.start_session()
        self.notebook.prompt(initial)
        score = self.score(initial, 0)
        self.visited.append((initial, score))
        self.best = (initial, score)

    def score(self, prompt: str, right: int, *, calls: bool = True) -> float:
        """Score `prompt`: right on the first `right` examples."""
        replies = []
        for i, (example, (question, _)) in enumerate(self.examples.items()):
            value = float(i < right)
            request = Request(messages=(Message("user", f"Q: {question}\n{prompt}\nA:"),), purpose="score")
            key = request.key("diary")
            text = "Yes" if value else "No"
            if calls:
                replies.append((request, text, key))
            keys = (key,) if calls else ()
            self.journal.put_score(
                RecordedScore(prompt_id(prompt), "dev", example, value, text.lower(), False, keys)
            )
        usage = Usage(prompt_tokens=100, completion_tokens=5, cached_tokens=40)

        def reply(text: str) -> Reply:
            return Reply(texts=(text,), usage=usage, seconds=0.5, source=self.source)

        async def put() -> None:
            now = time.time()
            work = (
                self.journal.put_call(
                    "task",
                    request,
                    Reply(texts=(text,), usage=usage, seconds=0.5, source=self.source),
                    key=key,
                    started=now,
                )
                for request, text, key in replies
            )
            await asyncio.gather(*work, self.journal.flush())

        in_new_loop(put())
        return min(right, len(self.examples)) / len(self.examples)

    def step(
        self, prompts: Sequence[str], *, right: int, limit: int = 20, rejected: str = "", fast: bool = False
    ) -> None:
        """One step whose first candidate becomes the current prompt with `right` right answers, the others fewer."""
        parent, parent_score = self.visited[-1]
        number = len(self.visited) - 1
        scores = [
            self.score(prompt, max(0, right - i), calls=not fast or i == 0)
            for i, prompt in enumerate(prompts)
        ]
        made = [
            ScoredCandidate(f"Sure! <START>{p}<END>", p, parent, 3 + i, score=score)
            for i, (p, score) in enumerate(zip(prompts, scores, strict=True))
        ]
        if rejected:
            made.append(ScoredCandidate("Yes", "Yes", parent, 3, 1, rejected))
        chosen = scores[0]
        self.best = max(self.best, (prompts[0], chosen), key=lambda pair: pair[1])
        earlier = tuple(Visited(p, s, i, Information(p, s)) for i, (p, s) in enumerate(self.visited[-3:-1]))
        record = StepRecord(
            step=number,
            total=self.total,
            limit=limit,
            parent=parent,
            parent_score=parent_score,
            information=Information(parent, parent_score),
            shown=Shown(earlier),
            meta_prompt=(Message("user", f"Improve this prompt: {parent}"),),
            candidates=tuple(made),
            chosen=prompts[0],
            chosen_score=chosen,
            best=self.best[0],
            best_score=self.best[1],
        )
        self.notebook.step(record)
        self.visited.append((prompts[0], chosen))
        in_new_loop(self.journal.flush())

    def configure(self, **changes: object) -> None:
        """Record other keys of the configuration."""
        self.journal.put_meta("config", {**self.journal.get_meta("config"), **changes})

    def close(self) -> None:
        self.journal.close()


def copy_run(source: Path, copy: Path, **changes: object) -> None:
    """The run in `source` once more, as one of another configuration."""
    shutil.copytree(source, copy)
    journal = Journal(copy / "journal.sqlite")
    journal.put_meta("config", {**journal.get_meta("config"), **changes})
    journal.close()


def in_new_loop(work: object) -> None:
    """Run a coroutine wherever the caller is: a browser driver has a loop running in the main thread."""
    import threading
    from collections.abc import Coroutine
    from typing import Any, cast

    thread = threading.Thread(target=lambda: asyncio.run(cast(Coroutine[Any, Any, None], work)))
    thread.start()
    thread.join()
