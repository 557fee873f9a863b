"""The keywords of `gpo.optimize` and `gpo.evaluate`, typed once; `help()` and editors show each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from gpo.config.schema import BudgetConfig, OptimizeConfig
    from gpo.optimizer.methods import ComposedMethod, Method
    from gpo.run.progress import Progress
    from gpo.run.watcher import Watcher

ModelLike = str | Mapping[str, Any] | Callable[..., Any]
"""A model's name, a mapping with the keys of a model's section, or a function of the prompt text (or `messages`)."""

OwnMethod: TypeAlias = "Method | ComposedMethod"
"""A method with own parts: `gpo.method(…)`, or four objects."""


class Settings(TypedDict, total=False):
    """Sections of the configuration that say how a run is made, under their names in YAML."""

    optimize: Mapping[str, Any] | OptimizeConfig
    """How long and how wide the search is: epochs, batch_size, candidates, task_examples, k, patience, …"""
    evaluation: Literal["full", "racing"]
    """Score every candidate on all of dev, or weak ones on a part of it only."""
    budget: Mapping[str, float | int | None] | BudgetConfig
    """max_calls, max_tokens, max_usd, max_seconds; over both models and over resumes."""
    preset: Literal["paper", "released"]
    """How to settle what the paper leaves open: as its text suggests, or as the authors' released code does it."""
    layout: int
    """How prompts are framed and meta-prompts worded: 2, or 1 as GPO 0.1.0 did it. A begun run keeps its own."""
    seed: int
    """Every random choice is drawn from it."""


class Surroundings(TypedDict, total=False):
    """What changes no result: where benchmarks lie, and who hears how far the work is."""

    data_dir: str | Path | None
    """The folder with the rows of benchmarks; $GPO_DATA_DIR, else the Hugging Face hub."""
    watcher: Watcher | Sequence[Watcher] | None
    """Is told how the run goes on: an object with some of the methods of `gpo.Watcher`, or several in a list."""
    progress: bool | Progress | None
    """True shows a bar, in a terminal and in a notebook; a `gpo.Progress` is kept up to date, to be read at any
    time."""


class EvaluateOptions(Surroundings, Settings, total=False):
    """Everything that `gpo.evaluate` takes beside the task, the prompt, the model and the split."""

    judge: ModelLike | None
    """The model that grades, where the metric is `judge`."""


class RunOptions(Surroundings, Settings, total=False):
    """Everything that `gpo.optimize` takes beside the task and the models."""

    prompt: str | None
    """The prompt to start from."""
    prompts: Mapping[str, str] | None
    """In place of `prompt`, several by their names: those of a program, or `system` and `user`."""
    method: str | Mapping[str, Any] | OwnMethod
    """A name (`gpo.methods()`), the four parts as a mapping (a name, `module:Class` or an object each), or
    `gpo.method(…)`."""
    run_dir: str | Path | None
    """Where the run is kept; the same call again goes on where it stopped. None keeps nothing."""


def keywords(options: type) -> dict[str, str]:
    """The keys of a typed dict with their types as they are written, those of `Settings` last."""
    kinds = {
        key: getattr(kind, "__forward_arg__", str(kind)) for key, kind in options.__annotations__.items()
    }
    own = [key for key in kinds if key not in Settings.__annotations__]
    return {key: kinds[key] for key in (*own, *Settings.__annotations__)}
