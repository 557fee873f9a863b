"""What racing is measured on: the score of many prompts on every dev and test row of a real task.

    python -m benchmarks.racing_matrix TASK DATA_DIR [--out FILE]

More than half of the prompts are hand-written, the others come from the 1.5B optimizer model; the 0.5B answers. TASK is
`navigate` or `wsc`, DATA_DIR the folder with its split files. Every call goes through the user's store: run again, it
goes on. The file that is written holds prompts and values (0 or 1), no benchmark text. Twenty minutes on 2 cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from gpo.config.load import parse_config
from gpo.evaluation.score import Scorer
from gpo.model.layers.complete_n import CompleteNModel
from gpo.optimizer.candidates import Guard, read_candidate
from gpo.run.compose import compose_sending
from gpo.run.layers.journaled import JournaledModel
from gpo.run.plan import Plan, assemble
from gpo.storage.journal import Journal
from gpo.storage.shared_store import SharedStore

TEST_ROWS = 60
MODELS = {"task": {"model": "local/qwen2.5-coder-0.5b"}, "optimizer": {"model": "local/qwen2.5-coder-1.5b"}}
TASKS: dict[str, dict[str, Any]] = {
    "navigate": {"answer": {"kind": "boolean"}, "max_tokens": 16, "about": "following moves and turns"},
    "wsc": {"answer": {"kind": "choice"}, "max_tokens": 16, "about": "finding what a pronoun refers to"},
}
STYLES = (
    "Answer with {form} only.",
    "Be careful and answer with {form}.",
    "Answer.",
    "Let's think step by step.",
    "Read the question twice. Then give {form} and nothing else.",
    "This is a puzzle about {about}. Reply with {form}.",
    "Explain your reasoning in one sentence, then answer.",
    "What is the correct answer? Give {form} as the first word of your reply.",
    "Decide quickly: {form}.",
    "You are an expert in {about}. Your answer must be {form}.",
    "Solve it step by step in your head, but write only {form}.",
    "Choose the best answer. Do not explain. Write {form}.",
    "Think about {about}. The answer is most likely the first option; check whether that is so. Write {form}.",
    "Reply in one word.",
)
FORMS = {"navigate": "Yes or No", "wsc": "(A) or (B)"}
ASK = (
    "Write a short instruction for a language model that must solve tasks about {about} and reply with {form}. "
    "Write the instruction alone, in at most 40 words."
)


def plan_for(task: str, data: Path) -> Plan:
    """The configuration of one task, its models open."""
    config = {
        "task": {
            "data": str(data),
            "answer": TASKS[task]["answer"],
            "split": {"train": 8, "test": TEST_ROWS},
        },
        "models": {
            "task": {**MODELS["task"], "max_tokens": TASKS[task]["max_tokens"]},
            "optimizer": MODELS["optimizer"],
        },
    }
    return assemble(parse_config(config, source="racing_matrix"), base_dir=Path())


def fill(text: str, task: str) -> str:
    """Our own text with this task's words."""
    return text.replace("{form}", FORMS[task]).replace("{about}", TASKS[task]["about"])


async def sampled(plan: Plan, task: str, n: int) -> list[str]:
    """Prompts that the optimizer model writes, in the order of their seeds; copies and repeats left out."""
    from gpo.model.model import Message, Request

    messages = (Message("user", fill(ASK, task)),)
    request = Request(messages=messages, temperature=1.0, max_tokens=80, n=n, seed=1, purpose="candidates")
    reply = await CompleteNModel(compose_sending(plan.optimizer_model).model).complete(request)
    guard = Guard(examples=[], required=(), answers=(), initial="", max_words=60)
    read = [read_candidate(text, "", guard) for text in reply.texts]
    return list(dict.fromkeys(item.prompt for item in read if item.rejected is None))


async def measure(task: str, data: Path, pool: list[str]) -> dict[str, Any]:
    """The scores of `pool`, filled up where it is empty."""
    plan = plan_for(task, data)
    if not pool:
        written = [fill(style, task) for style in STYLES]
        pool += list(dict.fromkeys([*written, *await sampled(plan, task, 10)]))
    await plan.optimizer_model.client.aclose()
    shared = SharedStore.open(warn=print)
    values: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        model = JournaledModel(
            compose_sending(plan.task_model).model, journal, "task", shared, cost=plan.task_model.cost
        )
        scorer = Scorer(plan.task, model, plan.scorer)
        for split in ("dev", "test"):
            for start in range(0, len(pool), 8):
                for score in await scorer.score(pool[start : start + 8], split):
                    values.setdefault(score.prompt, {})[split] = list(score.values)
                print(task, split, start, model.usage(), flush=True)
        await model.aclose()
        journal.close()
    if shared:
        shared.close()
    return {
        "command": f"python -m benchmarks.racing_matrix {task} DATA_DIR",
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "task": task,
        "models": MODELS,
        "prompts": pool,
        "dev": [values[prompt]["dev"] for prompt in pool],
        "test": [values[prompt]["test"] for prompt in pool],
    }


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    out = arguments.out or Path(f"benchmarks/results/racing-{arguments.task}.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    # The prompts are sampled: a second start goes on with those of the first.
    pool_file = out.with_suffix(".pool")
    pool = json.loads(pool_file.read_text(encoding="utf-8")) if pool_file.exists() else []
    try:
        record = asyncio.run(measure(arguments.task, arguments.data, pool))
    finally:
        pool_file.write_text(json.dumps(pool), encoding="utf-8")
    out.write_text(json.dumps(record) + "\n", encoding="utf-8")
    pool_file.unlink()


if __name__ == "__main__":
    main()
