"""Choosing a method by name: the originals, what only evaluates, and mistakes in a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpo.config.load import parse_config
from gpo.config.published import PUBLISHED
from gpo.errors import ConfigError
from gpo.optimizer.choose import NAMES, choose
from tests.optimizer.published_runs import Ran, run


def config(method: Any) -> Any:
    model = {"model": "m", "base_url": "http://127.0.0.1:1"}
    return parse_config(
        {"task": {"data": "gpo/tickets"}, "models": {"task": model, "optimizer": model}, "method": method}
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_chosen(name: str) -> None:
    assert choose(config(name).method).name == name


@pytest.mark.parametrize("name", PUBLISHED)
def test_numbers_of_a_protocol_can_be_changed_and_are_written_down(name: str) -> None:
    key = "steps" if name == "opro-original" else "rounds"
    read = config({"name": name, key: 2})
    assert getattr(read.method, key) == 2
    assert parse_config(read.model_dump(mode="json")) == read


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"name": "apo-original", "round": 2}, "unknown key method.round: did you mean method.rounds?"),
        ({"name": "apo-original", "rounds": 0}, "method.rounds: input should be greater than 0, not 0"),
        ({"name": "gpo", "rounds": 2}, "method: a mapping with a name changes the numbers of gpo+"),
        ({"name": ["x"]}, "method: a mapping with a name changes the numbers of gpo+"),
        ({"directon": "prompt"}, "unknown key method.directon: did you mean method.direction?"),
        (
            {"direction": "x"},
            "method.direction: direction has no option 'x'; there are prompt, prompt+performance",
        ),
        (3, "method: must be a name or a mapping, not 3"),
    ],
)
def test_mistakes_are_one_line(method: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(method)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ConfigError, match=r"there is no 'apo2'; there are gpo, .*empty, cot, ape-original"):
        choose("apo2")


@pytest.mark.parametrize(("name", "prompt"), [("empty", ""), ("cot", "Let's think step by step.")])
def test_what_only_evaluates(tmp_path: Path, name: str, prompt: str) -> None:
    ran: Ran = run(name, tmp_path / "run")
    result = ran.result
    assert (result.initial_prompt, result.best_prompt, result.steps) == (prompt, prompt, ())
    assert result.status == "complete"
    assert result.scores.initial == result.scores.best
    assert result.scores.best.test is not None
    assert result.improvement.test == 0
    assert result.usage.optimizer.calls == 0
    assert len(ran.requests("score")) == 30 + 10
    assert (tmp_path / "run" / "best_prompt.txt").read_text().strip() == prompt
