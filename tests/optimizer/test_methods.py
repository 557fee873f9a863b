"""Methods are rows: each resolves to the parts of the paper's Table 4 and shows what they say; objects may be own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.config.schema import OptimizeConfig
from gpo.errors import ConfigError
from gpo.optimizer.loop import count_steps
from gpo.optimizer.methods import METHODS, Method, build_method
from gpo.optimizer.parts.edit_distance import Cosine, Fixed, NoLimit
from gpo.optimizer.parts.information import PromptInformation
from gpo.optimizer.parts.refinement import Generation
from gpo.optimizer.parts.trajectory import NoTrajectory, Recency, Relevance, Shown, Summarization
from gpo.optimizer.state import Information, Step
from tests.support.landscape import Landscape
from tests.support.runs import config, meta_prompts, write_task
from tests.support.server import ModelServer

# Paper, Table 4; SGDM after the baselines' paragraph: summarization with editing.
TABLE_4 = {
    "ape": ("prompt", "none", "none", "generation"),
    "apo": ("prompt+reflection", "none", "none", "editing"),
    "opro": ("prompt+performance", "recency", "none", "generation"),
    "pe2": ("prompt+performance+reflection", "recency", "fixed", "generation"),
    "gpo": ("prompt+performance", "relevance", "cosine", "generation"),
    "sgdm": ("prompt+performance", "summarization", "none", "editing"),
}


@pytest.mark.parametrize("name", TABLE_4)
def test_a_method_resolves_to_its_row(name: str) -> None:
    row = METHODS[name]
    assert (row.direction, row.trajectory, row.edit_distance, row.refinement) == TABLE_4[name]
    parts = build_method(name)
    told, past, limit, way = TABLE_4[name]
    assert parts.information == PromptInformation("performance" in told, "reflection" in told)
    trajectories = {
        "none": NoTrajectory,
        "summarization": Summarization,
        "recency": Recency,
        "relevance": Relevance,
    }
    assert type(parts.trajectory) is trajectories[past]
    assert type(parts.edit_distance) is {"none": NoLimit, "fixed": Fixed, "cosine": Cosine}[limit]
    assert parts.refinement.template == way


def test_presets_differ_as_the_table_says() -> None:
    assert build_method("gpo", preset="paper").trajectory == Relevance(3, descending=False)
    assert build_method("gpo", preset="released").trajectory == Relevance(3, descending=True)
    # 48 rows in batches of 8 are 6 steps an epoch, 18 in all; 51 rows leave a batch of 3, less than half of 8.
    assert count_steps(48, 8, 3) == 18
    assert count_steps(51, 8, 3) == 21
    assert count_steps(51, 8, 3, drop_remainder=True) == 18
    assert count_steps(52, 8, 3, drop_remainder=True) == 21
    assert count_steps(3, 8, 2, drop_remainder=True) == 2


def test_an_unknown_method_is_one_line_with_the_names() -> None:
    with pytest.raises(ConfigError, match=r"method: .*'gop'.*gpo"):
        build_method("gop", OptimizeConfig())


@dataclass
class Shouting:
    """An own current information."""

    async def describe(self, step: Step) -> Information:
        return Information(step.current.prompt, notes="SHOUT LOUDER")


class Nothing:
    """An own trajectory."""

    async def show(self, step: Step) -> Shown:
        return Shown(summary="NOTHING WAS LEARNT")


class Seven:
    """An own schedule."""

    def limit(self, step: int, total: int) -> int | None:
        return 7


@dataclass
class Reworded:
    """An own refinement, with its template in the user's folder."""

    template: str = "reworded"


def test_own_objects_for_all_four_parts_are_used(server: ModelServer, tmp_path: Path) -> None:
    landscape = Landscape()
    server.answer = landscape.answer
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "reworded.jinja").write_text("SAY IT ANEW, between <START> and <END>.")
    own = Method("mine", Shouting(), Nothing(), Seven(), Reworded())
    settings: dict[str, Any] = config(server, write_task(tmp_path / "data", landscape), method=own)
    settings["optimize"] |= {"meta_prompt": str(templates)}
    result = gpo.optimize(**settings)
    shown = meta_prompts(server)
    assert len(shown) >= 4
    for text in shown:
        assert "Notes: SHOUT LOUDER" in text
        assert "NOTHING WAS LEARNT" in text
        assert "Change at most 7 words" in text
        assert "SAY IT ANEW" in text
        assert "Score:" not in text
    assert result.extra["method"] == "mine"


def test_one_own_part_among_the_papers(server: ModelServer, tmp_path: Path) -> None:
    landscape = Landscape()
    server.answer = landscape.answer
    own = Method("mine", PromptInformation(True, False), Recency(2), Seven(), Generation())
    gpo.optimize(**config(server, write_task(tmp_path / "data", landscape), method=own))
    shown = meta_prompts(server)
    assert all("Change at most 7 words" in text for text in shown)
    assert "Earlier prompts" in shown[-1]
