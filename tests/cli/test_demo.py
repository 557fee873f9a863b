"""The demo's two configurations, and its bad argument; nothing is run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpo.cli.demo import METHODS
from gpo.config.load import parse_config
from gpo.run.estimate.estimate import estimate
from gpo.run.plan import assemble
from tests.cli.gpo import gpo


@pytest.mark.parametrize(("method", "most"), [("gpo", 400), ("gpo+", 220)])
def test_a_demo_is_a_short_run_on_the_tickets(method: str, most: int) -> None:
    role = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}  # or the weights would be looked for
    config = parse_config({**METHODS[method], "models": {"task": role, "optimizer": role}, "seed": 3})
    known = estimate(assemble(config, base_dir=Path()))
    assert known.task.most.calls <= most


def test_another_method_is_one_line(tmp_path: Path) -> None:
    done = gpo("demo", "--method", "ape", cwd=tmp_path)
    assert done.returncode == 2
    assert "--method ape: the demo has gpo and gpo+" in done.stderr
    assert not (tmp_path / "runs").exists()
