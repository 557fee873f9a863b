"""The notebook opens with outputs of its own code, and runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "tour.ipynb"


def read_cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text())["cells"]
    return found


def test_it_opens_with_outputs() -> None:
    cells = [cell for cell in read_cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"execute_result", "stream", "display_data"}
    assert "verdict=<Verdict.BETTER" in json.dumps(outputs)
    assert "As stored here, " in "".join(read_cells()[0]["source"])


def test_it_names_no_place_of_the_machine_that_ran_it() -> None:
    text = NOTEBOOK.read_text()
    for place in ("/tmp", "/root", "/home", "127.0.0.1"):
        assert place not in text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_runs() -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from tests.examples.tour import execute

    cells = [cell for cell in execute(None).cells if cell.cell_type == "code"]
    assert "BETTER" in str(cells[5].outputs)
