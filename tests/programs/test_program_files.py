"""A program in a configuration file, and what the commands say of its runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gpo.cli.main import app
from gpo.errors import ConfigError
from gpo.task.program.parts import join_parts
from tests.programs.support import SIZES, answer, rows
from tests.support.server import ModelServer

PROGRAM = """
async def run(prompts, row, model):
    query = await model(f"{prompts['rewrite']}\\n{row['question']}")
    return await model(f"{prompts['answer']}\\n{query}")


def own(prompts, row):
    return "left" if len(prompts["answer"]) % 2 else "right"


def metric(output, row):
    return float(output == row["answer"]), f"expected {row['answer']}"
"""


def write(folder: Path, base_url: str, task: str = "program: 'two_calls:run'", models: str = "") -> None:
    for name, part in rows().items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    (folder / "two_calls.py").write_text(PROGRAM)
    model = f"{{model: any, base_url: '{base_url}', max_tokens: 40}}"
    (folder / "gpo.yaml").write_text(
        "task:\n  data: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}\n  metric: 'two_calls:metric'\n"
        + "".join(f"  {line}\n" for line in task.split(", "))
        + "prompts: {rewrite: REWRITE the question, answer: ANSWER it}\n"
        f"models: {{{models or f'task: {model}, '}optimizer: {model}}}\n"
        "method: {trajectory: recency}\n"
        "optimize: {epochs: 1, batch_size: 3, candidates: 2}\n"
    )


def gpo(*arguments: str) -> str:
    found = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_a_program_runs_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ModelServer(answer=answer) as server:
        write(tmp_path, server.base_url)
        assert "how many calls a run makes, and what they cost, is not known" in gpo("optimize", "--estimate")
        told = json.loads(gpo("optimize", "--estimate", "--json"))
        assert "task" not in told
        assert told["program"]["most"] == SIZES["dev"] * (1 + 2 * 2) + 2 * SIZES["test"]
        assert "REWRITE the question" in gpo("optimize", "--dry-run")
        assert server.stats.calls == 0
        result = json.loads(gpo("optimize", "--json"))
        runs = json.loads(gpo("optimize", "--json"))
        assert runs == result, "a complete run is known again"
    assert result["program"] == "run"
    assert set(result["best_prompts"]) == {"rewrite", "answer"}
    assert result["initial_prompts"]["answer"] == "ANSWER it"
    text = gpo("export", "runs/gpo", "--to", "text")
    best = result["best_prompts"]
    assert text == f"rewrite:\n{best['rewrite']}\n\nanswer:\n{best['answer']}\n"
    assert json.loads(gpo("export", "runs/gpo", "--to", "json"))["prompts"] == result["best_prompts"]
    refused = CliRunner().invoke(app, ["export", "runs/gpo", "--to", "messages"])
    assert refused.exit_code != 0
    page = (tmp_path / "runs" / "gpo" / "report.html").read_text()
    assert 'aria-label="Best prompt, rewrite"' in page


def test_a_program_of_its_own_needs_no_task_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ModelServer(answer=answer) as server:
        write(tmp_path, server.base_url, "program: 'two_calls:own', identity: own-1", models=" ")
        gpo("optimize", "--dry-run")
        told = json.loads(gpo("optimize", "--estimate", "--json"))
        most = SIZES["dev"] * (1 + 2 * 2) + 2 * SIZES["test"]
        assert (told["program"]["most"], told["task"]["most"]["calls"]) == (most, most)
        (tmp_path / "capped.yaml").write_text(
            (tmp_path / "gpo.yaml").read_text() + "budget: {max_calls: 50}\n"
        )
        said = gpo("optimize", "capped.yaml", "--estimate")
        assert f"at most {most} times; each run is one call" in said
        assert "budget.max_calls (50) is expected to stop the run before its end" in said
        assert "not known" not in said
        assert server.stats.calls == 0
        result = json.loads(gpo("optimize", "--json"))
        assert server.stats.calls == result["usage"]["optimizer"]["calls"]
    assert result["usage"]["task"]["calls"] > SIZES["dev"]
    assert any("changing `rewrite` changed no output" in line for line in result["warnings"])


def test_a_program_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "http://127.0.0.1:9/v1", "program: 'two_calls:nothing'")
    found = CliRunner().invoke(app, ["optimize", "--estimate"])
    assert found.exit_code != 0
    assert "task.program: two_calls:nothing cannot be imported" in str(found.exception or found.output)


def test_evaluate_takes_all_prompts_or_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given.txt").write_text(join_parts({"rewrite": "REWRITE it", "answer": "ANSWER shortly"}))
    with ModelServer(answer=answer) as server:
        write(tmp_path, server.base_url)
        told = json.loads(gpo("evaluate", "--json"))
        assert told["prompt"] == join_parts({"rewrite": "REWRITE the question", "answer": "ANSWER it"})
        changed = json.loads(gpo("evaluate", "--json", "--set", "prompts.answer=ANSWER shortly"))
        given = json.loads(gpo("evaluate", "--json", "--prompt", "@given.txt", "--set", "prompts.rewrite=x"))
        assert changed["prompt"] == join_parts(
            {"rewrite": "REWRITE the question", "answer": "ANSWER shortly"}
        )
        assert given["prompt"] == (tmp_path / "given.txt").read_text()
        compared = json.loads(gpo("evaluate", "--json", "--not-worse-than", "@given.txt"))
        assert compared["score"] == told["score"]
        assert compared["difference"]["mean"] == pytest.approx(told["score"] - given["score"])
        for option, more in (("--prompt", ()), ("--not-worse-than", ("--prompt", "@given.txt"))):
            with pytest.raises(ConfigError, match=f"{option}: the part 'rewrite' is missing.*{option} @FILE"):
                gpo("evaluate", option, "ANSWER it", *more)


def test_a_program_of_its_own_is_no_model_to_be_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ModelServer(answer=answer) as server:
        write(tmp_path, server.base_url, "program: 'two_calls:own', identity: own-1", models=" ")
        assert json.loads(gpo("models", "check", "--json")).keys() == {"optimizer"}
        said = gpo("optimize", "--dry-run")
    assert said.startswith("--- first run of the program own-1\n{\n")
    assert '"rewrite": "REWRITE the question"' in said
