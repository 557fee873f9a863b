"""The configuration of a run, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from gpo.report.views import RunView
from gpo.run.directory import RunDirectory

_COPY = "again.yaml"


def show_config(run: RunView) -> str:
    """The keys that were given or chosen, as YAML; what is null is left out. The journal holds no secrets."""
    from gpo.config.schema import Config

    # A journal keeps more beside the keys of a configuration: digests, and what made the run.
    plain = {key: run.config[key] for key in Config.model_fields if key in run.config and key != "layout"}
    return yaml.safe_dump(_drop_empty(plain), sort_keys=False, allow_unicode=True, width=100)


def describe_rerun(run: RunView) -> str:
    """The commands, "" where data, a model or a part of the method came from a Python program, which alone can make the
    run again."""
    models = (run.config.get("models") or {}).values()
    names = [str(model.get("model", "")) for model in models if isinstance(model, Mapping)]
    data = (run.config.get("task") or {}).get("data", "")
    path = RunDirectory(run.path).config_path
    if (
        str(data).startswith("python:")
        or any(name.startswith("python/") for name in names)
        or isinstance(run.config.get("method"), list)  # the types of objects
        or not path.is_file()
    ):
        return ""
    copy = f"cp {shlex.quote(str(path))} {_COPY}"
    return f"{copy}\ngpo optimize {_COPY} --run-dir {shlex.quote(f'{run.path}-again')}"


def _drop_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {str(key): _drop_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != {}}
    return [_drop_empty(item) for item in value] if isinstance(value, list | tuple) else value
