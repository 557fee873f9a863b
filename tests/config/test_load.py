"""Reading a configuration: overrides, the resolved text, and errors that name the key and the line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gpo.config.load import dump_config, load_config, parse_config
from gpo.config.masking import looks_like_key
from gpo.errors import ConfigError

TEXT = """\
task:
  data: gpo/tickets
  answer: {kind: label, labels: [yes, no, 3]}
models:
  task: {model: local/a}
  optimizer: {model: local/b, max_tokens: 99}
optimize:
  epochs: 2
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "gpo.yaml"
    path.write_text(text)
    return path


def test_labels_are_text_and_the_optimizers_defaults_are_the_papers(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, TEXT))
    assert config.task.answer.labels == ("Yes", "No", "3")
    assert (config.models.optimizer.temperature, config.models.optimizer.max_tokens) == (1.0, 99)
    assert (config.models.task.temperature, config.models.task.max_tokens) == (0.0, 256)
    assert (config.optimize.batch_size, config.optimize.candidates, config.optimize.k) == (8, 8, 3)


def test_overrides_win_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    config = load_config(
        path, ["optimize.epochs=5", "optimize.epochs=6", "method.trajectory=recency", "seed=7"]
    )
    assert config.optimize.epochs == 6
    assert config.seed == 7
    assert not isinstance(config.method, str)


def test_an_override_of_one_alias_leaves_the_other(tmp_path: Path) -> None:
    text = TEXT.replace("{model: local/a}", "&same {model: local/a}").replace(
        "{model: local/b, max_tokens: 99}", "*same"
    )
    config = load_config(write(tmp_path, text), ["models.optimizer.temperature=1.5"])
    assert (config.models.task.model, config.models.optimizer.model) == ("local/a", "local/a")
    assert (config.models.task.temperature, config.models.optimizer.temperature) == (0.0, 1.5)


def test_the_resolved_text_reads_as_the_same_configuration(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, TEXT))
    assert parse_config(yaml.safe_load(dump_config(config))) == config


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("epochs: 2", "epoch: 2", r"gpo.yaml:8: unknown key optimize.epoch: did you mean optimize.epochs\?"),
        ("epochs: 2", "epochs: 0", r"gpo.yaml:8: optimize.epochs: .*greater than 0, not 0"),
        ("  data: gpo/tickets\n", "", r"task.data is missing"),
        ("optimize:", "task:", r"gpo.yaml:7: the key task stands twice"),
        ("kind: label", "kind: lable", r"gpo.yaml:3: task.answer.kind: .*'label'"),
        ("epochs: 2", "epochs: [", r"gpo.yaml:9: is not valid YAML"),
        (TEXT, "just text", r"must be a mapping"),
        (TEXT, "", r"is empty"),
    ],
)
def test_a_mistake_names_the_key_and_the_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line) as caught:
        load_config(write(tmp_path, TEXT.replace(old, new)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("override", ["epochs", "=3", "a..b=1"])
def test_an_override_without_a_key_or_a_value_is_refused(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError, match=r"--set .*key\.path=value"):
        load_config(write(tmp_path, TEXT), [override])


@pytest.mark.parametrize(
    "key",
    ["sk-proj-Zx9verysecret42", "gsk_Zx9verysecret42", "AIzaSyZx9verysecret", "a9f8e7d6c5b4a3f2e1d0a9b8"],
)
def test_a_key_where_a_variables_name_belongs_is_not_repeated(tmp_path: Path, key: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        f"task: {{data: d.csv}}\nmodels: {{task: {{model: m, api_key_env: {key}}}, optimizer: {{model: m}}}}\n"
    )
    with pytest.raises(ConfigError, match=r"models\.task\.api_key_env: .*environment variable") as caught:
        load_config(path)
    assert key not in str(caught.value)


def test_names_of_variables_are_no_keys() -> None:
    for name in ("OPENAI_API_KEY", "MY_COMPANYS_INTERNAL_GATEWAY_KEY_2", "key", "OPENAI_KEY_TEAM7", "_X1"):
        assert not looks_like_key(name)
