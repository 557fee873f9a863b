"""The light installation: every import is declared, none beyond the base is needed to optimize, and what is missing is
one line that names its extra."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ConfigError
from gpo.extras import DISTRIBUTION, require
from tests.reliability.support import configuration, write_rows
from tests.support.landscape import Landscape
from tests.support.server import ModelServer

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOT_HERE = {
    "ray": "ray",
    "any_llm": "any-llm-sdk",
    "dspy": "dspy",
    "mlflow": "mlflow-skinny",
    "wandb": "wandb",
}
"""Modules of extras that the tests' environment lacks, with the distribution that brings them."""
ELSEWHERE = {"inspect_ai", "langchain_core", "IPython"}
"""What is there where it is imported: exported programs run in the tools that they are for, a task of Inspect is one
that its user has made, a bar is in a notebook."""
BESIDE = {"alembic", "pandas", "pip", "sqlalchemy"}
"""What an extra brings and no line imports: MLflow keeps a local store with three of them, pip runs in a process."""


def names(requirements: list[str]) -> set[str]:
    return {
        match[0].lower() for line in requirements if (match := re.match(r"[A-Za-z0-9_.-]+", line)) is not None
    }


BASE = names(PROJECT["dependencies"])
EXTRAS = {name: names(lines) - {DISTRIBUTION} for name, lines in PROJECT["optional-dependencies"].items()}


LATER = (
    "dspy/demonstrations.py",
    "dspy/language_model.py",
    "dspy/optimizer.py",
    "dspy/program.py",
    "mlflow/optimizer.py",
)
"""Files of gpo.integrations that are loaded when what they define is asked for: classes of a tool with another base."""


def imported(top_level: bool) -> dict[str, set[str]]:
    """The third-party modules that the package imports, each with its files; only those that loading a file loads
    where `top_level`."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "src" / "gpo").rglob("*.py"):
        if top_level and path.as_posix().endswith(LATER):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = tree.body if top_level else list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
                modules = [str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant)]
            else:
                continue
            for module in modules:
                top = module.split(".")[0]
                if top != "gpo" and top not in sys.stdlib_module_names:
                    found.setdefault(top, set()).add(path.name)
    return found


@cache
def owners() -> dict[str, set[str]]:
    """The distributions of every module that is installed."""
    return {
        module: {name.lower().replace("_", "-") for name in found}
        for module, found in packages_distributions().items()
    }


def distributions(module: str) -> set[str]:
    if module in NOT_HERE:
        return {NOT_HERE[module]}
    return owners().get(module, set())


def test_every_import_is_declared() -> None:
    declared = BASE.union(*EXTRAS.values())
    missing = {
        module: files
        for module, files in imported(top_level=False).items()
        if module not in ELSEWHERE and not distributions(module) & declared
    }
    assert missing == {}


def test_what_a_file_loads_at_once_is_in_the_base() -> None:
    missing = {
        module: files
        for module, files in imported(top_level=True).items()
        if not distributions(module) & BASE
    }
    assert missing == {}


def test_every_declared_distribution_is_imported() -> None:
    used = set().union(*(distributions(module) for module in imported(top_level=False)))
    assert BASE.union(*EXTRAS.values()) - used == BESIDE


def test_all_has_every_extra_but_other_tools_and_clusters() -> None:
    (line,) = PROJECT["optional-dependencies"]["all"]
    named = set(re.findall(r"\w[\w-]*", line.split("[", 1)[1]))
    assert named == set(EXTRAS) - {"all", "any-llm", "dspy", "mlflow", "ray", "wandb"}


def test_the_line_of_a_missing_module() -> None:
    with pytest.raises(
        ConfigError, match=r'^this needs nowhere, which is not installed: pip install "g.*\[x\]"$'
    ):
        require("nowhere", "x", "this")


# Refuses what the base does not have, as if it were not installed, and runs `gpo`.
ONLY_BASE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in set({modules!r}):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
from gpo.cli.main import main
main()
"""


def run_base(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    extra = set().union(*EXTRAS.values()) - BASE
    modules = [module for module, found in owners().items() if found & extra]
    return subprocess.run(
        [sys.executable, "-c", ONLY_BASE.format(modules=[*modules, "ray"]), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def mine(server: ModelServer, tmp_path: Path) -> Path:
    """A folder with gpo.json, a run whose metric is graded."""
    server.answer = Landscape().answer
    write_rows(tmp_path)
    found = configuration(server.base_url, tmp_path)
    found["task"] |= {"answer": {"kind": "text"}, "metric": "rouge_l"}
    (tmp_path / "gpo.json").write_text(json.dumps(found))
    return tmp_path


def test_the_base_optimizes_against_an_endpoint(mine: Path) -> None:
    done = run_base("optimize", "gpo.json", "--run-dir", "run", "--json", cwd=mine)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "complete"
    assert (
        result["improvement"]["ci_low"] <= result["improvement"]["test"] <= result["improvement"]["ci_high"]
    )
    assert (mine / "run" / "report.html").stat().st_size > 10_000


LINES = {
    ("--set", "method=gpo"): ("fastembed", "embed", "models.embedder"),
    ("--set", "method=gpo+"): ("numpy", "plus", "method: gpo+"),
    ("--set", "models.task.base_url=null", "--set", "models.task.model=local/smollm2-135m"): (
        "xllamacpp",
        "local",
        "models.task.model",
    ),
    ("--set", "task.data=rows.parquet"): ("pyarrow", "parquet", "rows.parquet"),
    ("--set", "task.data=hf:org/name"): ("datasets", "datasets", "org/name"),
    ("--set", "task.metric=f1", "--set", "task.answer={kind: label, labels: [left, right]}"): (
        "numpy",
        "metrics",
        "task.metric: f1",
    ),
    ("--set", "task.metric=chrf"): ("chrf", "metrics", "task.metric"),
    ("--set", "budget={max_usd: 1}"): ("price", "prices", "budget.max_usd"),
}


@pytest.mark.parametrize("arguments", LINES, ids=[key for _, _, key in LINES.values()])
def test_a_missing_extra_is_one_line(mine: Path, server: ModelServer, arguments: tuple[str, ...]) -> None:
    (mine / "rows.parquet").write_bytes(b"PAR1")
    done = run_base("optimize", "gpo.json", *arguments, cwd=mine)
    module, extra, key = LINES[arguments]
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert f'pip install "gpo-prompts[{extra}]"' in done.stderr
    assert module in done.stderr
    assert key in done.stderr
    assert server.stats.calls == 0
