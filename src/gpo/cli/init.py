"""`gpo init`: an example configuration with its data, ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_CONFIG = """\
# A run of GPO: gpo optimize gpo.yaml
task:
  data: tickets.jsonl            # a csv, json, jsonl or parquet file, or a folder with train, dev and test files
  split: {train: 50, dev: 50, test: 200}   # gpo power: how many test rows a gain needs
  input: input                   # a column, or a template such as "{question}\\n{choices}"
  target: target
  answer: {kind: label}          # label | choice | number | boolean | words | text
  position: question_end         # or before_question | question_begin | answer_begin | system
prompt: "Which of these is the message about: account, delivery, feedback, payment, product or refund?"
models:                          # local/NAME (gpo models list), openai/NAME, a .gguf file, or any NAME with a base_url
  task: {model: local/qwen2.5-coder-1.5b, max_tokens: 16}
  optimizer: {model: local/qwen2.5-coder-1.5b}
method: gpo
optimize: {epochs: 1, batch_size: 10, candidates: 8}
seed: 0
"""


def init(
    folder: Annotated[Path, typer.Argument(help="Where the two files are written.")] = Path(),
) -> None:
    """Write gpo.yaml and tickets.jsonl, an example to start from. Nothing is overwritten."""
    import json

    from gpo.errors import ConfigError
    from gpo.task.builtin import load

    splits, _ = load("tickets", seed=0, split=None)
    rows = [row for part in splits.values() for row in part]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    files = {folder / "gpo.yaml": _CONFIG, folder / "tickets.jsonl": lines}
    for path in files:
        if path.exists():
            raise ConfigError(f"{path} is there already; move it away, or name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror})") from None
    print(f"wrote {', '.join(map(str, files))}; next: gpo optimize {folder / 'gpo.yaml'}")
