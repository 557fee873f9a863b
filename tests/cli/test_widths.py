"""What commands print on a terminal of 60, 80 and 200 columns: no line is longer, and no word is broken."""

from __future__ import annotations

import io

import pytest

from gpo.cli.main import main

COMMANDS = (
    "bench figure1 --plan",
    "tasks list",
    "power --gain 5",
    "power --rows 100",
    "init --help",
)


class Terminal(io.StringIO):
    """What is written, by a stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def screen(command: str, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    out = Terminal()
    with monkeypatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.argv", ["gpo", *command.split()])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code in (0, None)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_lines_fit_and_no_word_is_broken(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPO_DATA_DIR", raising=False)
    words = {word for line in screen(command, 1000, monkeypatch) for word in line.split()}
    for width in (60, 80, 200):
        lines = screen(command, width, monkeypatch)
        assert max(map(len, lines)) <= width, width
        broken = {word for line in lines for word in line.split()} - words
        # Help is laid out by typer, and what stands once above a plan's table has commas.
        assert (
            not broken
            or "--help" in command
            or broken
            <= {"the", "same", "in", "every", "row:"} | {word for word in broken if word.rstrip(",") in words}
        ), (width, broken)


def test_a_plan_of_eighty_columns_says_once_what_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GPO_DATA_DIR", raising=False)
    wide = screen("bench table2 --plan", 200, monkeypatch)
    lines = screen("bench table2 --plan", 80, monkeypatch)
    assert any(line.split()[:3] == ["task", "method", "runs"] for line in wide)
    assert "steps 18, candidates 8, dev 48, test 144" in " ".join(lines)
    assert max(map(len, lines)) <= 80
    at = next(i for i, line in enumerate(lines) if line.split()[:2] == ["method", "runs"])
    assert len({len(line) for line in lines[at : at + 12]}) == 1  # one column under the other, no row broken
    assert lines[at + 11].split()[:2] == ["in", "all"]
