"""A task file of Inspect: dataset, solver and a scorer that reads answers as GPO does."""

from __future__ import annotations

from gpo.errors import ConfigError
from gpo.export.material import Material
from gpo.export.names import docstring
from gpo.export.python_pieces import HELPERS, constants_source


def as_inspect(material: Material) -> str:
    """The file's text. Raises `ConfigError` for a base model and for answers read by a function of one's own."""
    if not material.is_chat:
        raise ConfigError("--to inspect: the run's model is a base model, and Inspect asks chat models only")
    reading = material.judged("inspect")
    head = docstring(
        [
            f"The best prompt of {material.name} ({material.score_line}) as a task of Inspect.",
            "",
            "Needs inspect-ai and gpo (which reads the answers). Rows are JSON lines or csv with these columns:",
            ", ".join([*material.template.inputs, material.target]) + ".",
            "inspect eval THIS_FILE -T rows=rows.jsonl --model openai/NAME",
        ]
    )
    return f"{head}\n\n{_IMPORTS}\n{HELPERS}\n\n{constants_source(material, reading)}\n{_TASK}"


_IMPORTS = """from inspect_ai import Task, task
from inspect_ai.dataset import Sample, csv_dataset, json_dataset
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, TaskState, solver

from gpo.task.reading import Reading
"""

_TASK = '''
MESSAGES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def to_sample(row):
    """A row of the data as a sample."""
    messages = [MESSAGES[role](content=fill(pieces, row)) for role, pieces in TURNS]
    target = row[TARGET]
    return Sample(
        input=messages,
        target=[str(one) for one in target] if isinstance(target, list) else str(target),
        metadata={"question": messages[-1].text},
    )


@solver
def asked():
    """Ask, and ask for the bare answer in a second turn where that was measured."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state = await generate(state, temperature=TEMPERATURE, max_tokens=MAX_TOKENS)
        if SECOND_TURN:
            state.messages.append(ChatMessageUser(content=SECOND_TURN))
            state = await generate(state, temperature=TEMPERATURE, max_tokens=SECOND_ROUND_TOKENS)
        return state

    return solve


@scorer(metrics=[mean(), stderr()])
def as_gpo():
    """Read the reply and score it as the run did."""

    async def score(state: TaskState, target: Target) -> Score:
        reply, cut = state.output.completion, state.output.stop_reason == "max_tokens"
        expected = target.target if len(target.target) > 1 else target.text
        value = READING.score(reply, expected, state.metadata["question"], cut=cut)
        return Score(value=value, answer=reply)

    return score


@task
def best_prompt(rows: str = "rows.jsonl"):
    """The prompt on the rows of a file."""
    read = csv_dataset if rows.endswith(".csv") else json_dataset
    return Task(dataset=read(rows, to_sample), solver=asked(), scorer=as_gpo())
'''
