"""The code blocks of the README and of the site, and the ones that cannot run here, by name, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("README.md")),
]

PROJECTS: Final = "examples/"
"""Where pages begin whose commands are run in their own folder, by tests/examples/test_examples.py."""

COMMANDS_NOT_RUN: Final = {
    "python3 -m pip install uv && python3 -m uv run gpo demo": "fetches 1.1 GB; tests/cli/test_demo.py reads its plan",
    "python3 -m pip install uv && python3 -m uv run pytest": "these are the tests",
    "python3 -m pip install uv && python3 -m uv build --wheel": "fetches uv; tests/test_light_base.py builds the wheel",
    "npm install promptfoo": "fetches 1 GB; the promptfoo that is there is run by tests/export/test_real_tools.py",
    "npx promptfoo eval": "tests/export/test_real_tools.py runs it",
    "inspect eval best.py": "tests/export/test_real_tools.py runs it",
    "uv run --with-requirements tests/export/requirements.txt": "fetches the tools; these are tests themselves",
    "uv run --with-requirements tests/integrations/requirements.txt": "fetches the tools; these are tests themselves",
    "podman ": "no engine for containers; tests/release/test_containers.py reads the files",
    "vllm serve": "a server for GPUs",
    "ray start": "a cluster; tests/suites/test_ray.py starts one of one machine",
    "ray status": "a cluster",
    "llama-server": "tests/serving/test_llama_server.py starts one where it is installed",
    "python -m sglang.launch_server": "a server for GPUs",
    "CMAKE_ARGS=": "compiles llama.cpp for half an hour",
    "uv pip install --reinstall wheels/xllamacpp": "installs what was compiled before it",
}
"""Commands by how they begin."""

BLOCKS_NOT_RUN: Final = {
    (
        "ci.md",
        "- uses: OWNER/gpo",
    ): "tests/release/test_action.py runs the steps of action.yml and of the example",
    ("exports.md", "client.chat.completions.create"): "the client is of a package that GPO does without",
    ("exports.md", "from best import BestPrompt"): "tests/export/test_real_tools.py runs it in the tool",
    ("exports.md", "from best import ask"): "tests/export/test_real_tools.py runs it in the tool",
    ("integrations.md", "MlflowTracker"): "tests/integrations/test_mlflow.py runs it in MLflow",
    ("integrations.md", "GPOPromptOptimizer("): "tests/integrations/test_mlflow.py runs it in MLflow",
    ("integrations.md", "inspect.task_from"): "tests/integrations/test_inspect.py runs it in Inspect",
    ("integrations.md", "task_from_yaml"): "tests/integrations/test_lm_eval.py runs such files",
    ("integrations.md", "dspy.GPO"): "tests/integrations/test_dspy.py runs it in DSPy",
    (
        "programs.md",
        'rows = [{"question": "…"',
    ): "its rows and its search are the reader's; tests/programs runs such ones",
    ("python.md", ""): "tests/api/test_python_page.py runs this page from top to bottom",
}
"""Blocks of other languages by their page and a text in them."""


@dataclass(frozen=True)
class Block:
    """A fenced piece of a page, from `line` on."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """All blocks in one of `languages`, or all."""
    return [block for block in _blocks() if not languages or block.language in languages]


def _blocks() -> Iterator[Block]:
    pattern = re.compile(r"^( *)```([\w+-]*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            name = page.relative_to(ROOT).as_posix().removeprefix("docs/")
            yield Block(name, line, match[2], match[3])


def shell_lines(block: Block) -> list[str]:
    """The commands of a block: lines that a backslash continues as one, without comments."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip() and not line.lstrip().startswith("#")]


def not_run(command: str) -> str | None:
    """How the entry of `COMMANDS_NOT_RUN` for `command` begins, or None."""
    return next((start for start in COMMANDS_NOT_RUN if command.startswith(start)), None)
