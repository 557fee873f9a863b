"""One version everywhere, and the checks of a release find what is wrong."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.release import wheel

ROOT = wheel.ROOT


def test_the_version_is_the_same_everywhere() -> None:
    version = wheel.find_version()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    sections = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert citation["version"] == version == sections[0][0]
    assert str(citation["date-released"]) == sections[0][1]
    numbers = [tuple(map(int, number.split("."))) for number, _ in sections]
    assert numbers == sorted(numbers, reverse=True)


def test_the_changelog_has_known_sections_only() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= known
    assert text.index("## [Unreleased]") < text.index(f"## [{wheel.find_version()}]")


def test_a_wheel_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    version = wheel.find_version()
    (tmp_path / f"gpo_prompts-{version}.tar.gz").touch()
    with zipfile.ZipFile(tmp_path / f"gpo_prompts-{version}-py3-none-any.whl", "w") as packed:
        for path in sorted(wheel.PACKAGE.rglob("*"))[1:]:
            if path.is_file() and "__pycache__" not in path.parts and path.name != "errors.py":
                packed.writestr(path.relative_to(wheel.PACKAGE.parent).as_posix(), "")
    with pytest.raises(wheel.ReleaseError, match=r"differs from src/gpo in .*gpo/errors\.py"):
        wheel.check_contents(tmp_path)


@pytest.mark.slow
def test_a_python_that_is_nowhere_is_not_fetched() -> None:
    assert wheel.find_python("3.99") is None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_wheel_runs_outside_of_the_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    assert wheel.main([]) == 0
    assert "optimized with" in capsys.readouterr().out


def test_nothing_is_published_without_a_person() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    publishing = [job for job in jobs.values() if "pypi-publish" in str(job)]
    assert [job["environment"] for job in publishing] == ["release"]
    assert [job["needs"] for job in publishing] == ["attest"]
    assert jobs["attest"]["needs"] == "check"
    assert jobs["check"]["needs"] == "build"
