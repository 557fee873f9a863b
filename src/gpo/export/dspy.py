"""A DSPy program whose module sends exactly the messages that were measured, and its metric."""

from __future__ import annotations

from gpo.errors import ConfigError
from gpo.export.material import Material
from gpo.export.names import docstring
from gpo.export.python_pieces import HELPERS, constants_source


def as_dspy(material: Material) -> str:
    """The file's text. Raises `ConfigError` for a base model and for answers read by a function of one's own."""
    if not material.is_chat:
        raise ConfigError(
            "--to dspy: the run's model is a base model, and a DSPy LM of chat type asks otherwise"
        )
    reading = material.judged("dspy")
    head = docstring(
        [
            f"The best prompt of {material.name} ({material.score_line}) as a program of DSPy.",
            "",
            "Needs dspy before 3.5 and gpo (which reads the answers). The messages are those that were measured:",
            "no adapter puts a frame of its own around them. BestPrompt()(**row) gives a prediction with `reply`;",
            "dspy.Evaluate(devset=[example(row), ...], metric=metric)(BestPrompt()) scores it.",
        ]
    )
    values = f"{constants_source(material, reading)}INPUTS = {list(material.template.inputs)!r}\n"
    imports = "import dspy\n\nfrom gpo.task.reading import Reading\n"
    return f"{head}\n\n{imports}\n{HELPERS}\n\n{values}\n{_PROGRAM}"


_PROGRAM = '''
class BestPrompt(dspy.Module):
    """Asks the LM of `dspy.settings`, in a second turn for the bare answer where that was measured."""

    def forward(self, **row):
        messages = [{"role": role, "content": fill(pieces, row)} for role, pieces in TURNS]
        question = messages[-1]["content"]
        reply = self._ask(messages, MAX_TOKENS)
        if SECOND_TURN:
            messages += [{"role": "assistant", "content": reply}, {"role": "user", "content": SECOND_TURN}]
            reply = self._ask(messages, SECOND_ROUND_TOKENS)
        return dspy.Prediction(reply=reply, question=question)

    def _ask(self, messages, max_tokens):
        found = dspy.settings.lm(messages=messages, temperature=TEMPERATURE, max_tokens=max_tokens)[0]
        return found["text"] if isinstance(found, dict) else found


def example(row):
    """A row (texts by column) as an example of a devset."""
    return dspy.Example(**{name: row[name] for name in [*INPUTS, TARGET]}).with_inputs(*INPUTS)


def metric(example, prediction, trace=None):
    """The value of a reply in 0..1, as the run scored it."""
    return READING.score(prediction.reply, example[TARGET], prediction.question)
'''
