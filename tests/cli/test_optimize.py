"""The main job as a person runs it, against a real server: results, streams, going on, the same twice."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.cli.gpo import gpo
from tests.support.landscape import Landscape
from tests.support.runs import config, write_task
from tests.support.server import ModelServer

LANDSCAPE = Landscape()


def prepare(server: ModelServer, folder: Path) -> None:
    server.answer = LANDSCAPE.answer
    settings = config(server, write_task(folder / "data", LANDSCAPE), method={"trajectory": "recency"})
    (folder / "gpo.yaml").write_text(yaml.safe_dump(settings))


def test_a_run_leaves_its_files_and_prints_the_result_alone(server: ModelServer, tmp_path: Path) -> None:
    prepare(server, tmp_path)
    done = gpo("optimize", "gpo.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    run = tmp_path / "runs" / "gpo"
    assert json.loads((run / "result.json").read_text()) == result
    assert (run / "best_prompt.txt").read_text().strip() == result["best_prompt"]
    assert {"config.yaml", "journal.sqlite", "report.html"} <= {entry.name for entry in run.iterdir()}
    assert set(result) >= {
        "status",
        "initial_prompt",
        "best_prompt",
        "scores",
        "improvement",
        "steps",
        "usage",
        "seconds",
        "seed",
        "versions",
    }
    gain = result["improvement"]
    assert set(gain) == {"test", "ci_low", "ci_high", "p_value", "verdict", "rows", "detectable"}
    # Of 20 test rows six gained and none lost are the least that is ever called better.
    assert (gain["rows"], gain["detectable"]) == (20, 0.3)
    better = gain["ci_low"] > 0 and gain["p_value"] < 0.05
    assert gain["verdict"] == ("better" if better else "not shown")
    assert [line for line in result["warnings"] if "only 20 test rows" in line and "30.0 points" in line]
    named = {"calls", "cached", "prompt_tokens", "completion_tokens", "reasoning_tokens", "usd"}
    assert set(result["usage"]["task"]) == named
    assert result["status"] == "complete"
    assert "step 1/4" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_test_split_is_opened_once_and_for_two_prompts(server: ModelServer, tmp_path: Path) -> None:
    prepare(server, tmp_path)
    result = json.loads(gpo("optimize", "gpo.yaml", "--json", cwd=tmp_path).stdout)
    test = [row["input"] for row in LANDSCAPE.rows(20, 28)]
    texts = [str(body) for body in server.bodies()]
    first = min(i for i, text in enumerate(texts) if any(row in text for row in test))
    assert all(any(row in text for row in test) for text in texts[first:])
    prompts = {result["initial_prompt"], result["best_prompt"]}
    assert len(texts) - first == len(test) * len(prompts)


def test_the_same_command_again_says_that_it_is_complete(server: ModelServer, tmp_path: Path) -> None:
    prepare(server, tmp_path)
    first = gpo("optimize", "gpo.yaml", "--json", cwd=tmp_path)
    calls = server.stats.calls
    again = gpo("optimize", "gpo.yaml", "--json", cwd=tmp_path)
    assert again.returncode == 0
    assert "complete" in again.stderr
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert server.stats.calls == calls


def test_the_same_configuration_and_seed_give_the_same_run_byte_for_byte(
    server: ModelServer, tmp_path: Path
) -> None:
    prepare(server, tmp_path)
    results = []
    for name in ("one", "two"):
        home = {"GPO_HOME": str(tmp_path / name)}  # no shared store: every answer is the server's
        done = gpo("optimize", "gpo.yaml", "--json", "--run-dir", f"run-{name}", cwd=tmp_path, env=home)
        result = json.loads(done.stdout)
        result.pop("seconds")
        results.append(json.dumps(result))
    assert results[0] == results[1]
    prompts = [(tmp_path / f"run-{name}" / "best_prompt.txt").read_bytes() for name in ("one", "two")]
    assert prompts[0] == prompts[1]
    # Another seed is another run.
    other = gpo("optimize", "gpo.yaml", "--json", "--run-dir", "other", "--set", "seed=1", cwd=tmp_path)
    assert json.loads(other.stdout)["steps"] != json.loads(results[0])["steps"]


def test_the_screen_for_a_person(server: ModelServer, tmp_path: Path) -> None:
    prepare(server, tmp_path)
    done = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert done.returncode == 0
    for words in ("initial prompt", "best prompt", "dev", "test", "task calls", "tokens"):
        assert words in done.stdout


def test_the_best_prompt_goes_with_its_template_and_one_filled_example(
    server: ModelServer, tmp_path: Path
) -> None:
    prepare(server, tmp_path)
    done = gpo("optimize", "gpo.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = [path.parent for path in tmp_path.rglob("best_prompt.txt")]
    best = (folder / "best_prompt.txt").read_text()
    template = json.loads((folder / "best_template.json").read_text())
    assert template == {
        "messages": [{"role": "user", "content": f"{{input}}\n{best}"}],
        "inputs": ["input"],
        "second_turn": None,
    }
    first = json.loads((tmp_path / "data" / "dev.jsonl").read_text().splitlines()[0])["input"]
    asked = f"user: {first}\n{best}"
    screen = "\n".join(line.strip() for line in done.stdout.splitlines())
    assert asked in screen
    assert any(f"{first}\n{best}" in call["messages"][-1]["content"] for call in server.bodies())
    page = (folder / "report.html").read_text()
    assert f'aria-label="Example, user 1">{first}\n{best}</div>' in page


def test_evaluate_gives_a_score_and_its_interval(server: ModelServer, tmp_path: Path) -> None:
    prepare(server, tmp_path)
    done = gpo("evaluate", "gpo.yaml", "--prompt", "amber anchor", "--split", "dev", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    score = json.loads(done.stdout)
    right = [LANDSCAPE.right(i, "\namber anchor") for i in range(16, 28)]
    assert score["values"] == [float(value) for value in right]
    assert score["ci_low"] <= score["score"] <= score["ci_high"]
    bad = gpo("evaluate", "gpo.yaml", "--prompt", "x", "--split", "nope", cwd=tmp_path)
    assert bad.returncode == 2
    assert "train, dev, test" in bad.stderr


def test_init_writes_what_optimize_reads(tmp_path: Path) -> None:
    done = gpo("init", "mine", cwd=tmp_path)
    assert done.returncode == 0
    from gpo.config.load import load_config
    from gpo.task.task import Task

    loaded = load_config(tmp_path / "mine" / "gpo.yaml")
    task = Task.from_config(loaded.task, seed=0, base_dir=tmp_path / "mine")
    assert [len(task.examples(name)) for name in ("train", "dev", "test")] == [50, 50, 200]
    assert gpo("init", "mine", cwd=tmp_path).returncode == 2
