"""Configuration files and `--set` overrides: any text is a configuration or one line that says what is wrong."""

from __future__ import annotations

import yaml

from gpo.config.load import dump_config, load_config, parse_config
from gpo.errors import GPOError
from tests.fuzz.targets.target import Target, own, scratch, text

_FILE = scratch() / "gpo.yaml"
_SPLIT = b"\x00"
"""Ends the file; overrides follow, one a line."""

_SMALL = """\
task: {data: rows.jsonl, answer: {kind: label, labels: [yes, no]}}
models:
  task: {model: a, base_url: http://localhost:1/v1}
  optimizer: {model: b, base_url: http://localhost:1/v1}
"""
_WHOLE = """\
task:
  data: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}
  input: "{question}"
  position: system
  metric: rouge_l
prompt: |
  Let's think.
models:
  task: &m {model: openai/x, api_key_env: K, price: {input: 1, output: 2.5}, timeout: 1e3}
  optimizer:
    <<: *m
    temperature: 1
method: {name: opro-original, steps: 3}
optimize: {epochs: 1, frozen: [think], edit_distance: {initial: 5, control: enforce}}
budget: {max_calls: 10, max_usd: 0.5}
seed: 7
"""


def run(data: bytes) -> None:
    """Load the text, with the overrides that follow it; what loads is written out and read again unchanged."""
    body, _, overrides = data.partition(_SPLIT)
    _FILE.write_bytes(body)
    lines = [line for line in text(overrides).split("\n") if line]
    try:
        config = load_config(_FILE, lines)
    except GPOError as error:
        own(error)
        return
    # Not the configurations themselves: secrets in an address are not written out.
    written = dump_config(config)
    if dump_config(parse_config(yaml.safe_load(written))) != written:
        raise AssertionError("a resolved configuration reads as another one")


def seeds() -> list[bytes]:
    """Small ones, a whole one, and the forms of YAML that are seldom met."""
    return [
        _SMALL.encode(),
        _WHOLE.encode(),
        _SMALL.encode() + _SPLIT + b"optimize.epochs=1\nseed=3\ntask.answer.labels=[a, b]\nprompt=",
        b"a: &a [1]\nb: *a\n? [x]\n: y\n",
        b"method: {direction: prompt, trajectory: none}\n",
        b"--- !!map {task: !!str 1, seed: !!int 0x1F, prompt: !!binary aGk=}\n...\n",
        b"seed: 2001-01-01\nprompt: .nan\n",
        b"\xef\xbb\xbftask: {}\n",
    ]


TARGET = Target(
    "config",
    run,
    seeds,
    tokens=[
        *("task:", "data:", "models:", "optimizer:", "method:", "name:", "ape-original", "apo-original"),
        *("optimize:", "budget:", "seed:", "price:", "answer:", "labels:", "kind:", "split:", "prompt:"),
        *(
            "!!int",
            "!!float",
            "!!bool",
            "!!timestamp",
            "!!null",
            "!!set",
            "!!omap",
            "!!pairs",
            "!!python/name:",
        ),
        *("<<:", "&a", "*a", "? ", "|", ">", "---", "...", "%YAML 1.1", "0x", "1_0", ".inf", "1:30", "~"),
    ],
    instrument=("gpo", "yaml"),
)
