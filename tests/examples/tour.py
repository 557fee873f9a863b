"""Execute `examples/tour.ipynb` and keep its outputs.

    uv run python -m tests.examples.tour                                      # a scripted server on loopback answers
    uv run python -m tests.examples.tour --model local/qwen2.5-coder-1.5b     # a model answers

The last line of its first cell says which of the two it was.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.examples.scripts import EXAMPLES, read_csv
from tests.support.server import ModelServer, all_text

NOTEBOOK = EXAMPLES / "tour.ipynb"
SCRIPTED = "As stored here, a scripted server answered in place of a model, so its figures say nothing about any model."

BETTER = "Which desk is it for: billing, booking, housekeeping, maintenance or restaurant? Reply with its name alone"


def one_model(body: dict[str, Any]) -> str:
    """Both roles of the notebook: it knows half of the desks before the prompt says what is wanted."""
    text = all_text(body)
    if "<START>" in text:
        return f"<START>{BETTER}.<END>"
    row = next(row for row in read_csv("tickets/messages.csv") if row["message"] in text)
    knows = "name alone" in text or len(row["message"]) % 2
    return row["desk"] if knows else "booking or something like that"


def execute(model: str | None) -> Any:
    """The notebook with outputs, by `model` or by a scripted server. Raises what a cell raises."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        if model:
            environment, said = {"GPO_TOUR_MODEL": model}, f"As stored here, `{model}` answered."
        else:
            server = stack.enter_context(ModelServer(answer=one_model))
            environment, said = {"GPO_TOUR_MODEL": "scripted", "GPO_TOUR_URL": server.base_url}, SCRIPTED
            environment["GPO_HOME"] = home
        environment["GPO_TOUR_RUN"] = str(Path(home) / "run")
        lines = notebook.cells[0].source.splitlines()
        notebook.cells[0].source = "\n".join([*lines[:-1], said])
        for name, value in environment.items():
            stack.callback(os.environ.pop, name, None)
            os.environ[name] = value
        folder = {"metadata": {"path": str(EXAMPLES)}}
        NotebookClient(notebook, timeout=3600, kernel_name="python3", resources=folder).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran changes with every execution
    return notebook


def main() -> None:
    """Execute and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.examples.tour")
    parser.add_argument("--model", help="such as local/qwen2.5-coder-1.5b")
    nbformat.write(execute(parser.parse_args().model), NOTEBOOK)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
