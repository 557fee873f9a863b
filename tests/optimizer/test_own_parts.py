"""Own parts by name: `module:Class` in a run's file, in Python and in a suite, and as an installed package's option."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import gpo
from gpo.config.load import load_config
from gpo.errors import ConfigError
from gpo.optimizer.parts.trajectory import Shown
from gpo.optimizer.state import Information, Step
from gpo.run.directory import RunDirectory
from gpo.run.estimate.estimate import estimate
from gpo.run.optimize import Run
from gpo.run.plan import Plan, assemble
from gpo.storage.journal_reader import JournalReader
from tests.api.interrupted import make_task
from tests.suites.suites import bench, grid_of, write_suite
from tests.support.landscape import Landscape
from tests.support.runs import config, meta_prompts, write_task
from tests.support.server import ModelServer

PART = '''
from gpo.optimizer.calls import Calls, OptimizerCalls, PromptContent
from gpo.optimizer.parts.trajectory import Shown


class Fifth:
    """An own trajectory: it asks the optimizer model, once a step."""

    async def show(self, step):
        said = await step.workbench.ask("WHAT OF IT", step=step.number, purpose="fifth")
        return Shown(summary=f"FIFTH {len(said) > 0}")

    def calls(self, total, sizes):
        return Calls(optimizer=(OptimizerCalls(total, 1, 10, PromptContent()),))


class Needy:
    def __init__(self, k):
        self.k = k


class Odd:
    @property
    def show(self):
        raise RuntimeError("not yet")


ready = Fifth()
nothing = object()
'''


@pytest.fixture
def module(tmp_path: Path) -> Any:
    """A module of its own beside the configuration; returns its name."""
    name = f"own_parts_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(PART)
    (tmp_path / "ends_itself.py").write_text("import sys; sys.exit(0)")
    yield name
    sys.modules.pop(name, None)


def write(folder: Path, server: ModelServer, **changes: Any) -> Path:
    path = folder / "gpo.yaml"
    data = config(server, write_task(folder / "data", Landscape()), **changes)
    path.write_text(yaml.safe_dump(data))
    return path


def plan_of(path: Path) -> Plan:
    return assemble(load_config(path), base_dir=path.parent)


async def test_a_run_s_file_names_a_part_beside_it(tmp_path: Path, module: str) -> None:
    with ModelServer(answer=Landscape().answer) as server:
        path = write(tmp_path, server, method={"trajectory": f"{module}:Fifth"})
        made = plan_of(path)
        plain = plan_of(write(tmp_path, server, method={"trajectory": "none"}))
        # 16 train rows in batches of 8, twice: 4 steps, and the part asks once in each.
        more = estimate(made).optimizer.expected.calls - estimate(plain).optimizer.expected.calls
        assert more == 4
        path = write(tmp_path, server, method={"trajectory": f"{module}:Fifth"})
        result = await Run(made, RunDirectory(tmp_path / "run"), use_shared_store=False).execute()
        assert result.status == "complete"
        shown = [text for text in meta_prompts(server) if "FIFTH True" in text]
        assert len(shown) == len(meta_prompts(server)) > 0
        again = plan_of(path)
        assert again.recorded == made.recorded
        # Other code is another method: the run does not go on with it.
        (tmp_path / f"{module}.py").write_text(PART.replace("WHAT OF IT", "WHAT ELSE"))
        sys.modules.pop(module)
        with pytest.raises(gpo.GPOError, match="another"):
            RunDirectory(tmp_path / "run").check(plan_of(path).recorded)


def test_python_takes_a_name_or_an_object_in_every_place(module: str, tmp_path: Path) -> None:
    sys.path.insert(0, str(tmp_path))
    try:
        named = gpo.method("gpo", trajectory=f"{module}:Fifth", edit_distance="none")
        shared = gpo.method("gpo", trajectory=f"{module}:ready")
    finally:
        sys.path.remove(str(tmp_path))
    assert type(named.trajectory).__name__ == type(shared.trajectory).__name__ == "Fifth"

    class Two:
        def limit(self, step: int, total: int) -> int | None:
            return 2

    with ModelServer(answer=Landscape().answer) as server:
        model = {"model": "own", "base_url": server.base_url}
        method: dict[str, Any] = {"trajectory": "recency", "edit_distance": Two()}
        result = gpo.optimize(
            make_task(), models=model, prompt="amber anchor", method=method, optimize={"epochs": 1}
        )
    assert {step["edit_limit"] for step in result.steps} == {2}


def test_a_fifth_trajectory_is_a_row_of_a_table(tmp_path: Path, module: str) -> None:
    with ModelServer(answer=Landscape().answer) as server:
        path = write_suite(
            tmp_path,
            server.base_url,
            methods=[{"trajectory": ["recency", f"{module}:Fifth"]}],
            table={"rows": "trajectory", "ours": "Fifth"},
            seeds=1,
        )
        grid = grid_of(path)
        assert {slot.labels["trajectory"] for slot in grid.slots} == {"recency", "Fifth"}
        table, _ = bench(path, tmp_path / "out")
        assert any("FIFTH True" in text for text in meta_prompts(server))
    assert set(table.rows) == {"recency", "Fifth"}
    before = {trial.run_dir for trial in grid.trials}
    (tmp_path / f"{module}.py").write_text(PART.replace("WHAT OF IT", "WHAT ELSE"))
    changed = {trial.run_dir for trial in grid_of(path).trials}
    assert len(before & changed) == len(before) // 2  # those of recency


def test_an_installed_package_registers_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fifth_package").mkdir()
    (tmp_path / "fifth_package" / "__init__.py").write_text(PART)
    info = tmp_path / "fifth_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fifth-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[gpo.trajectories]\nfifth = fifth_package:Fifth\nrecency = fifth_package:Fifth\n"
    )
    with pytest.raises(ConfigError, match="trajectory has no option 'fifth'"):
        gpo.method("gpo", trajectory="fifth")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert type(gpo.method("gpo", trajectory="fifth").trajectory).__name__ == "Fifth"
    assert gpo.method("gpo", trajectory="recency").trajectory == "recency"  # GPO's own name stays GPO's
    with ModelServer() as server:
        made = plan_of(write(tmp_path, server, method={"trajectory": "fifth"}))
    assert made.recorded["method"]["trajectory"] == "Fifth"
    assert made.recorded["part_code"]["trajectory"]


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("MODULE:Gone", r"method\.trajectory: own_parts_\w+:Gone cannot be imported \(AttributeError"),
        ("no_such_module_here:X", r"no_such_module_here:X cannot be imported \(ModuleNotFoundError"),
        ("MODULE:Needy", r"Needy cannot be made .*it is called without arguments"),
        (
            "MODULE:nothing",
            r"trajectory is a value of type object; give an option's name or an object with show",
        ),
        ("MODULE:Odd", r"trajectory is a value of type Odd; give an option's name or an object with show"),
        ("ends_itself:Part", r"ends_itself:Part cannot be imported \(SystemExit: 0\)"),
        ("recent", r"trajectory has no option 'recent'; there are none, .*written module:Class"),
    ],
)
def test_what_is_no_part_is_one_line(part: str, line: str, tmp_path: Path, module: str) -> None:
    with ModelServer() as server, pytest.raises(ConfigError, match=line):
        plan_of(write(tmp_path, server, method={"trajectory": part.replace("MODULE", module)}))


def test_two_packages_with_one_name_are_asked_for_by_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("first", "second"):
        info = tmp_path / f"{package}_package-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}-package\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[gpo.trajectories]\ntwice = {package}_package:Part\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=r"two packages; write (first|second)_package:Part or"):
        gpo.method("gpo", trajectory="twice")


class Raises:
    template = "editing"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def limit(self, step: int, total: int) -> int:
        raise self.error

    async def show(self, step: Step) -> Shown:
        raise self.error

    async def describe(self, step: Step) -> Information:
        raise self.error


class Returns:
    def __init__(self, found: Any) -> None:
        self.found = found

    def limit(self, step: int, total: int) -> Any:
        return self.found

    async def show(self, step: Step) -> Any:
        return self.found

    async def describe(self, step: Step) -> Any:
        return self.found


@pytest.mark.parametrize(
    ("place", "part", "line"),
    [
        (
            "edit_distance",
            Raises(RuntimeError("boom")),
            r"edit_distance: Raises\.limit failed \(RuntimeError: boom",
        ),
        ("edit_distance", Raises(SystemExit(0)), r"Raises\.limit failed \(SystemExit: 0\)"),
        ("trajectory", Raises(KeyError("x")), r"trajectory: Raises\.show failed \(KeyError"),
        ("direction", Raises(SystemExit(3)), r"direction: Raises\.describe failed \(SystemExit: 3\)"),
        (
            "edit_distance",
            Returns("five"),
            r"Returns\.limit returned str 'five'; return a whole number of words",
        ),
        ("edit_distance", Returns(float("nan")), r"returned float nan"),
        ("edit_distance", Returns(-3), r"returned int"),
        ("trajectory", Returns([1]), r"Returns\.show returned list; return a Shown"),
        ("trajectory", Returns(Shown(earlier=(1,))), r"return a Shown"),  # type: ignore[arg-type]
        ("direction", Returns(None), r"Returns\.describe returned NoneType; return an Information"),
        ("direction", Returns(Information("p", notes=5)), r"return an Information with texts"),  # type: ignore[arg-type]
    ],
)
def test_what_a_part_does_wrong_is_one_line_and_loses_nothing(
    place: str, part: object, line: str, tmp_path: Path
) -> None:
    with ModelServer(answer=Landscape().answer) as server:
        models = {"model": "own", "base_url": server.base_url}
        method: dict[str, Any] = {"trajectory": "recency", "edit_distance": "none", place: part}
        with pytest.raises(ConfigError, match=line):
            gpo.optimize(make_task(), models=models, prompt="amber", method=method, run_dir=tmp_path / "run")
        with JournalReader(tmp_path / "run" / "journal.sqlite") as reader:
            assert len(list(reader.ledger())) == server.stats.finished > 0


def test_an_unknown_place_is_named() -> None:
    with pytest.raises(ConfigError, match="there is no part 'momentum'; there are direction"):
        gpo.optimize(make_task(), models=lambda text: "left", method={"momentum": object()})
