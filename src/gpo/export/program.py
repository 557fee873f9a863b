"""The prompts of a program, which no template holds: as text, and as JSON by their names."""

from __future__ import annotations

from pathlib import Path

from gpo.errors import ConfigError
from gpo.export.plain import dumps
from gpo.result.result import Result
from gpo.run.directory import RunDirectory

FORMATS = ("text", "json")
"""The formats that can hold them."""


def read_program(run_dir: Path) -> Result | None:
    """The result in `run_dir` where it is that of a program. Raises `RunError` where it is damaged."""
    result = RunDirectory(run_dir).read_result()
    return result if result is not None and "program" in result.extra else None


def export_program(result: Result, name: str) -> str:
    """The best prompts of `result` in the format `name`. Raises `ConfigError` for one that cannot hold them."""
    prompts = result.best_prompts
    if name == "text":
        if len(prompts) == 1:
            return next(iter(prompts.values()))
        return "\n\n".join(f"{part}:\n{text}" for part, text in prompts.items())
    if name == "json":
        return dumps(
            {
                "program": result.extra["program"],
                "prompts": prompts,
                "scores": result.to_dict()["scores"]["best"],
            }
        )
    raise ConfigError(
        f"--to {name}: the run is of a program, which fills its prompts itself; use --to {' or --to '.join(FORMATS)}"
    )
