"""What the optimizer model is shown of the past: the most similar prompts, the latest where there is no embedder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpo.config.plus import PlusConfig
from gpo.errors import PermanentModelError
from gpo.optimizer.candidates import Guard
from gpo.optimizer.metaprompt import MetaPromptSettings
from gpo.optimizer.plus.material import SearchMaterial
from gpo.optimizer.plus.moves.propose import NO_EMBEDDER, Parent, Proposer
from gpo.optimizer.plus.table import Entry
from gpo.optimizer.state import Information, Step, Visited
from gpo.optimizer.workbench import Embed
from tests.optimizer.scripted import ScriptedOptimizer, ScriptedTaskModel, workbench


async def shown(embed: Embed) -> tuple[list[str], list[str]]:
    """The one earlier prompt that two steps show, and the warnings."""
    optimizer = ScriptedOptimizer([["One word."], ["Another word."]])
    bench = replace(workbench(ScriptedTaskModel({}), optimizer), embed=embed)
    proposer = Proposer(
        bench,
        Guard(),
        PlusConfig(edits=False, demonstrations=False, reflection=False),
        k=2,
        enforce=False,
        meta_prompt=MetaPromptSettings(task_examples=1),
        material=SearchMaterial(),
    )
    visited = [
        Visited(name, 0.5, at, Information(name)) for at, name in enumerate(["like it", "other", "it"])
    ]
    found = []
    for number in (2, 3):
        proposed = await proposer.propose(
            Step(number, 9, visited, bench), Parent(entry=Entry("it"), number=0), None, 1
        )
        found += [point.prompt for point in proposed.shown.earlier]
    return found, proposer.warnings


async def test_the_most_similar_prompts_are_shown() -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, 0.0] if "it" in text else [0.0, 1.0] for text in texts]

    assert await shown(embed) == (["like it", "like it"], [])


async def test_without_an_embedder_the_latest_are_shown_and_it_is_said_once() -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        raise PermanentModelError("there is none here", scope="run")

    assert await shown(embed) == (["other", "other"], [NO_EMBEDDER])


async def test_edits_stand_in_for_replies_that_are_no_prompts() -> None:
    bench = workbench(ScriptedTaskModel({}), ScriptedOptimizer([["", "", ""]]))
    words = "Read it well. Think, then answer. Be brief."
    proposer = Proposer(
        bench,
        Guard(),
        PlusConfig(demonstrations=False, reflection=False),
        k=2,
        enforce=False,
        meta_prompt=MetaPromptSettings(task_examples=1),
        material=SearchMaterial(clauses={None: ("Answer with one word.",)}),
    )
    step = Step(0, 9, [Visited(words, 0.5, 0, Information(words))], bench)
    proposed = await proposer.propose(step, Parent(entry=Entry(words), number=0), None, 4)
    assert [draft.entry.move for draft in proposed.drafts if draft.entry] == ["edit"] * 4
    assert proposer.unusable == 3
