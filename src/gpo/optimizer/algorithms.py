"""From a method's name to the algorithm that carries it out: the one place that knows all algorithms.

A row of Table 4 runs in the four-part loop; `…-original` names a published protocol; `empty` and `cot` only evaluate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gpo.config.originals import ORIGINALS, ApeConfig, ApoConfig, OproConfig, OriginalConfig, Pe2Config
from gpo.config.schema import MethodConfig, OptimizeConfig
from gpo.errors import ConfigError
from gpo.optimizer.candidates import Guard
from gpo.optimizer.loop import Loop, LoopSettings
from gpo.optimizer.methods import METHODS, Method, Preset, method
from gpo.optimizer.original.ape import Ape
from gpo.optimizer.original.apo import Apo
from gpo.optimizer.original.fixed import PROMPTS, Fixed
from gpo.optimizer.original.opro import Opro
from gpo.optimizer.original.pe2 import Pe2
from gpo.optimizer.search import Algorithm, Listener
from gpo.optimizer.workbench import Workbench

Build = Callable[[Workbench, Guard, Listener | None], Algorithm]


@dataclass(frozen=True, slots=True)
class Published:
    """A method with an algorithm of its own. `prompt` takes the place of the configuration's where it is not None;
    `settings` are the numbers of a published protocol, None where it only evaluates."""

    name: str
    build: Build
    prompt: str | None = None
    settings: OriginalConfig | None = None


NAMES = (*METHODS, *PROMPTS, *ORIGINALS)
"""Every name that `method` can have."""


def choose(
    chosen: str | MethodConfig | OriginalConfig,
    settings: OptimizeConfig | None = None,
    preset: Preset = "paper",
    layout: int = 2,
) -> Method | Published:
    """What a configuration's `method` names; `layout` as for `method`. Raises `ConfigError` for an unknown name."""
    if isinstance(chosen, MethodConfig) or (isinstance(chosen, str) and chosen in METHODS):
        return method(chosen, settings, preset, layout)
    if not isinstance(chosen, str):
        return Published(chosen.name, _original(chosen), settings=chosen)
    if chosen in ORIGINALS:
        settings_ = ORIGINALS[chosen]()
        return Published(chosen, _original(settings_), settings=settings_)
    if chosen in PROMPTS:
        return Published(chosen, partial(Fixed, total=0, pairs_a_step=0), PROMPTS[chosen])
    raise ConfigError(f"method: there is no {chosen!r}; there are {', '.join(NAMES)}")


def algorithm(
    chosen: Method | Published,
    bench: Workbench,
    guard: Guard,
    settings: LoopSettings,
    listener: Listener | None = None,
) -> Algorithm:
    """A new search by `chosen`; `settings` are those of the four-part loop and say nothing to the others."""
    if isinstance(chosen, Method):
        return Loop(chosen, bench, guard, settings, listener)
    return chosen.build(bench, guard, listener)


def _original(settings: OriginalConfig) -> Build:
    match settings:
        case ApeConfig():
            return partial(Ape, settings)
        case ApoConfig():
            return partial(Apo, settings)
        case OproConfig():
            return partial(Opro, settings)
        case Pe2Config():
            return partial(Pe2, settings)
