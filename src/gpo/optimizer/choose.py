"""Opens the search that carries out a method: the one place where all methods are named.

A row of Table 4 runs in the four-part loop; `gpo+` in a search that plans its own steps; `…-original` names a published
protocol; `empty` and `cot` only evaluate.
"""

from __future__ import annotations

from dataclasses import dataclass

from gpo.config.plus import PlusConfig
from gpo.config.published import PUBLISHED, ApeConfig, ApoConfig, OproConfig, Pe2Config, PublishedConfig
from gpo.config.schema import MethodConfig, OptimizeConfig
from gpo.errors import ConfigError
from gpo.optimizer.calls import Calls, Sizes
from gpo.optimizer.candidates import Guard
from gpo.optimizer.loop import Loop, LoopSettings, count_loop_calls
from gpo.optimizer.methods import METHODS, Method, Preset, build_method, score_scale
from gpo.optimizer.plus.method import PlusMethod
from gpo.optimizer.published.ape import Ape
from gpo.optimizer.published.apo import Apo
from gpo.optimizer.published.evaluate_only import PROMPTS, EvaluateOnly
from gpo.optimizer.published.opro import Opro
from gpo.optimizer.published.pe2 import Pe2
from gpo.optimizer.search import Listener, Search, SearchMethod
from gpo.optimizer.workbench import Workbench

PLUS = "gpo+"
AnyMethod = Method | SearchMethod


@dataclass(frozen=True, slots=True)
class PublishedMethod:
    """A published protocol with its numbers."""

    settings: PublishedConfig

    @property
    def name(self) -> str:
        """As a configuration names it."""
        return self.settings.name

    @property
    def needs_readable_start(self) -> bool:
        """Also of APE, which writes its prompts anew: where no reply can be read, hundreds more would be paid for."""
        return True

    def open(self, bench: Workbench, guard: Guard, listener: Listener | None) -> Search:
        """A new search by the protocol."""
        match self.settings:
            case ApeConfig() as ape:
                return Ape(ape, bench, guard, listener)
            case ApoConfig() as apo:
                return Apo(apo, bench, guard, listener)
            case OproConfig() as opro:
                return Opro(opro, bench, guard, listener)
            case Pe2Config() as pe2:
                return Pe2(pe2, bench, guard, listener)

    def calls(self, sizes: Sizes) -> Calls:
        """What the protocol may ask for. "At most" takes full beams, no prompt twice and no early end; "expected"
        leaves out what the journal surely answers (a row that an estimate has asked already), and where a protocol
        looks for failures, half of the rows failed."""
        match self.settings:
            case ApeConfig() as ape:
                return Ape.calls(ape, sizes)
            case ApoConfig() as apo:
                return Apo.calls(apo, sizes)
            case OproConfig() as opro:
                return Opro.calls(opro, sizes)
            case Pe2Config() as pe2:
                return Pe2.calls(pe2, sizes)


NAMES = (*METHODS, PLUS, *PROMPTS, *PUBLISHED)
"""Every name that `method` can have."""


def choose(
    chosen: str | MethodConfig | PublishedConfig | PlusConfig,
    settings: OptimizeConfig | None = None,
    preset: Preset = "paper",
    layout: int = 2,
) -> Method | PublishedMethod | EvaluateOnly | PlusMethod:
    """What a configuration's `method` names; `layout` as for `build_method`. Raises `ConfigError` for an unknown
    name."""
    if isinstance(chosen, MethodConfig) or (isinstance(chosen, str) and chosen in METHODS):
        return build_method(chosen, settings, preset, layout)
    if chosen == PLUS:
        chosen = PlusConfig()
    if isinstance(chosen, PlusConfig):
        return PlusMethod(chosen, settings or OptimizeConfig(), score_scale(preset))
    if not isinstance(chosen, str):
        return PublishedMethod(chosen)
    if chosen in PUBLISHED:
        return PublishedMethod(PUBLISHED[chosen]())
    if chosen in PROMPTS:
        return EvaluateOnly(chosen, PROMPTS[chosen])
    raise ConfigError(f"method: there is no {chosen!r}; there are {', '.join(NAMES)}")


def open_search(
    chosen: AnyMethod,
    bench: Workbench,
    guard: Guard,
    settings: LoopSettings,
    listener: Listener | None = None,
) -> Search:
    """A new search by `chosen`; `settings` are those of the four-part loop and say nothing to the others."""
    if isinstance(chosen, Method):
        return Loop(chosen, bench, guard, settings, listener)
    return chosen.open(bench, guard, listener)


def count_method_calls(chosen: AnyMethod, settings: LoopSettings, sizes: Sizes) -> Calls:
    """What a whole search by `chosen` may ask for; `settings` as for `open_search`."""
    return count_loop_calls(chosen, settings, sizes) if isinstance(chosen, Method) else chosen.calls(sizes)
