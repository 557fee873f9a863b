"""`models.embedder`: the prompts' vectors from an endpoint, called, recorded, capped and counted as other calls are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import gpo
from gpo.config.load import parse_config
from gpo.errors import BudgetError, ConfigError, ModelError
from gpo.model.openai.embeddings import pack, unpack
from gpo.result.result import Result
from gpo.run.directory import RunDirectory
from gpo.run.optimize import Run
from gpo.run.plan import assemble
from gpo.storage.journal import Journal
from tests.reliability.support import PROMPT, configuration, write_rows
from tests.support.landscape import Landscape
from tests.support.server import Faults, ModelServer

METHOD = {"method": "gpo", "optimize": {"epochs": 2, "batch_size": 3, "candidates": 3, "resamples": 1}}


@pytest.fixture
def endpoint(server: ModelServer) -> ModelServer:
    server.answer = Landscape().answer
    return server


def run(
    server: ModelServer, folder: Path, name: str = "run", *, embedder: bool = True, **sections: Any
) -> Result:
    if not (folder / "dev.jsonl").exists():
        write_rows(folder)
    found = configuration(server.base_url, folder, **{**METHOD, **sections})
    if embedder:
        found["models"]["embedder"] = {**found["models"]["task"], "model": "letters"}
    plan = assemble(parse_config(found), base_dir=folder)
    return asyncio.run(Run(plan, RunDirectory(folder / name), use_shared_store=False).execute())


def asked(server: ModelServer) -> list[str]:
    return [body["input"] for body in server.bodies() if "input" in body]


def test_a_vector_survives_its_packing() -> None:
    vector = [1 / 3, -2e-300, 0.0, 12345.678]
    assert unpack(pack(vector)) == vector


def test_each_prompt_is_embedded_once_and_counted(endpoint: ModelServer, tmp_path: Path) -> None:
    endpoint.faults = Faults(rates={"503": 0.3}, per_request=1)
    result = run(endpoint, tmp_path)
    texts = asked(endpoint)
    assert len(texts) == len(set(texts)) >= 2
    assert PROMPT in texts
    assert result.usage.embedder is not None
    assert result.usage.embedder.calls == len(texts)
    assert result.usage.embedder.prompt_tokens == sum(len(text.split()) for text in texts)
    assert str(result.extra["embedder"]).endswith("letters embeddings")
    assert Result.from_dict(result.to_dict()).usage == result.usage
    with Journal(tmp_path / "run" / "journal.sqlite") as journal:
        assert [call.role for call in journal.calls()].count("embedder") == len(texts)


def test_a_run_that_goes_on_asks_for_no_vector_again(endpoint: ModelServer, tmp_path: Path) -> None:
    whole = run(endpoint, tmp_path, "whole")
    assert whole.usage.embedder is not None
    sent = endpoint.stats.finished
    cap = {"max_calls": sent - whole.usage.task.calls // 3}
    with pytest.raises(BudgetError):
        run(endpoint, tmp_path, "halves", budget=cap)
    assert endpoint.stats.finished <= sent + cap["max_calls"]
    again = run(endpoint, tmp_path, "halves")
    assert (again.usage, again.best_prompt) == (whole.usage, whole.best_prompt)
    assert endpoint.stats.finished == 2 * sent


def test_vectors_count_against_the_cap(endpoint: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(BudgetError) as stopped:
        run(endpoint, tmp_path, budget={"max_calls": 60})
    assert stopped.value.result is not None
    usage = stopped.value.result.to_dict()["usage"]
    assert usage["embedder"]["calls"] > 0
    assert sum(usage[role]["calls"] for role in usage) == endpoint.stats.finished == 60


def test_what_is_no_vector_is_one_line(
    endpoint: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.server._embedding", lambda body: {"data": [{"embedding": ["x"]}]})
    with pytest.raises(ModelError, match="holds no vector") as error:
        run(endpoint, tmp_path, model={"retries": 0})
    assert "\n" not in str(error.value)


def test_without_the_extra_nothing_is_paid(
    endpoint: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpo.extras.is_installed", lambda module: module != "fastembed")
    with pytest.raises(ConfigError) as error:
        run(endpoint, tmp_path, embedder=False)
    assert str(error.value) == (
        "method: the relevance trajectory compares prompts by embeddings and needs fastembed, which is not installed: "
        'pip install "gpo-prompts[embed]"; or name models.embedder, which is asked at its endpoint; or choose another '
        "trajectory (method: {trajectory: recency})"
    )
    assert endpoint.stats.calls == 0
    assert not (tmp_path / "run" / "journal.sqlite").exists()
    assert run(endpoint, tmp_path, embedder=False, method={"trajectory": "recency"}).status == "complete"
    assert run(endpoint, tmp_path, "other").status == "complete"


def test_a_function_cannot_embed() -> None:
    with pytest.raises(ConfigError, match=r"^models\.embedder: must be a name or a mapping"):
        gpo.optimize("gpo/tickets", models={"task": str, "optimizer": str, "embedder": str})
