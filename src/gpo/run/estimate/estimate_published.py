"""How often the published protocols call their models, by their own numbers, before any call is made.

Knows the protocols' settings and the sizes of the task; no model and no price. "At most" takes full beams, no prompt
twice and no early end. "Expected" is the same with what the journal surely answers (a row that an estimate has asked
already) left out, and, where a protocol looks for failures, half of the rows failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from gpo.config.published import ApeConfig, ApoConfig, OproConfig, Pe2Config, PublishedConfig
from gpo.optimizer.published.bandit import rejection_schedule
from gpo.optimizer.published.pe2 import WALK


@dataclass(frozen=True, slots=True)
class Kind:
    """Optimizer calls of one kind: `calls` of `n` replies of at most `max_tokens`. The prompt of each holds `prompts`
    prompts, `rows` task examples with their answers, `replies` earlier replies of at most `heard` tokens in all."""

    calls: int
    n: int
    max_tokens: int
    prompts: int = 1
    rows: int = 0
    heard: int = 0


@dataclass(frozen=True, slots=True)
class Volume:
    """What a protocol asks for: pairs of prompt and dev row and of prompt and train row, the initial prompt on dev
    included, and the calls of its optimizer. A prompt of its own has at most `written` tokens."""

    dev: int
    train: int
    kinds: tuple[Kind, ...]
    written: int


def volume(settings: PublishedConfig, *, train: int, dev: int, most: bool) -> Volume:
    """Of a protocol on `train` and `dev` rows, at most or expected."""
    counts: dict[type, Callable[[Any, int, int, bool], Volume]] = {
        ApeConfig: _ape,
        ApoConfig: _apo,
        OproConfig: _opro,
        Pe2Config: _pe2,
    }
    return counts[type(settings)](settings, train, dev, most)


def _ape(s: ApeConfig, train: int, dev: int, most: bool) -> Volume:
    arms, rows = s.subsets * s.samples, min(dev, s.examples)
    first = arms * rows
    if s.selection == "ucb":
        first = _ucb(arms, dev, s.bandit_rounds, s.bandit_prompts, s.bandit_samples, most)
    # The best prompt of each step is scored on all of dev; its estimate has asked some of these rows.
    full = (1 + s.rounds) * (dev if most else dev - rows)
    pairs = dev + first + s.rounds * s.rewrites * rows + full
    kinds = (
        Kind(s.subsets, s.samples, s.max_tokens, prompts=0, rows=min(s.demonstrations, train)),
        Kind(s.rounds, s.rewrites, s.max_tokens),
    )
    return Volume(pairs, 0, kinds, s.max_tokens)


def _apo(s: ApoConfig, train: int, dev: int, most: bool) -> Volume:
    pairs, walked, expanded, beam = dev, 0, 0, 1
    new = min(s.expansion, s.groups + (s.groups + 1) * s.paraphrases)
    for _ in range(s.rounds):
        walked += beam * min(s.minibatch, train)
        expanded += beam
        arms = beam * (1 + new)
        keep = min(s.beam, arms)
        asked = _selection(s, arms, keep, dev, most)
        # The next beam is scored on all of dev; the selection has asked its members its share of these rows and more.
        full = keep * dev
        pairs += asked + (full if most else max(0, full - keep * asked // arms))
        beam = keep
    edits = expanded * s.groups
    kinds = [
        Kind(edits, 1, s.max_tokens, rows=s.errors),
        Kind(edits, 1, s.max_tokens, rows=s.errors, heard=s.max_tokens),
    ]
    if s.paraphrases:
        kinds.append(Kind(expanded * (s.groups + 1), s.paraphrases, s.max_tokens))
    return Volume(pairs, walked, tuple(kinds), s.max_tokens)


def _selection(s: ApoConfig, arms: int, keep: int, dev: int, most: bool) -> int:
    """Pairs that choosing `keep` of `arms` asks for."""
    budget = s.bandit_rounds * s.bandit_prompts * s.bandit_samples
    if arms == 1:
        return 0
    if s.selection == "ucb":
        return _ucb(arms, dev, s.bandit_rounds, s.bandit_prompts, s.bandit_samples, most)
    if s.selection == "brute-force":
        return arms * max(1, min(dev, budget // arms))
    alive, asked = arms, 0
    if s.selection == "successive-rejects":
        for samples in rejection_schedule(arms, keep, budget):
            asked, alive = asked + alive * min(samples, dev), alive - 1
    else:
        phases = (arms - 1).bit_length()
        for _ in range(phases):
            if alive <= keep:
                break
            asked += alive * min(dev, max(1, budget // (alive * phases)))
            alive = max(keep, ceil(alive / 2))
    # Every pair that comes again is answered from the journal.
    return min(asked, arms * dev)


def _ucb(arms: int, dev: int, rounds: int, prompts: int, samples: int, most: bool) -> int:
    """Rows are drawn anew in every round, and a pair that comes again is answered from the journal: of `dev` rows the
    k-th draw is expected to leave the same share untouched. Arms never played come first."""
    played, drawn = min(arms, prompts), min(dev, samples)
    if most:
        return min(rounds * played * drawn, arms * dev)
    # As if the plays were spread evenly; a bandit plays the good ones more often, and so repeats more.
    times = rounds * played / arms
    touched: float = 1 - (1 - drawn / dev) ** times
    return min(round(arms * dev * touched), rounds * played * drawn)


def _opro(s: OproConfig, train: int, dev: int, most: bool) -> Volume:
    pairs = dev + s.steps * s.samples * dev
    kind = Kind(s.steps, s.samples, s.max_tokens, prompts=s.shown, rows=min(s.exemplars, train))
    return Volume(pairs, 0, (kind,), s.max_tokens)


def _pe2(s: Pe2Config, train: int, dev: int, most: bool) -> Volume:
    nodes, looked, proposals = 1, 0, 0
    for _ in range(s.rounds):
        beam = min(s.beam, nodes)
        proposals += beam * s.proposals
        looked += beam
        nodes += beam * s.proposals
    # A prompt walks train once, in steps of WALK rows, until it has failures enough.
    wanted = ceil(s.batch * max(s.proposals, 2) / 2)
    walk = train if most else min(train, WALK * ceil(2 * wanted / WALK))
    heard = s.inspection_tokens
    kinds = [
        Kind(proposals, 1, s.inspection_tokens, prompts=2, rows=s.batch),
        Kind(proposals, 1, s.max_tokens, prompts=3 + 4 * s.history, rows=s.batch, heard=heard),
    ]
    if s.history:
        heard += s.max_tokens
        kinds.append(Kind(proposals, 1, s.history_tokens, prompts=7, rows=s.batch, heard=heard))
    return Volume(dev + proposals * dev, looked * walk, tuple(kinds), s.max_tokens)


def prompt_tokens(kinds: Sequence[Kind], *, template: int, prompt: int, row: int, overhead: int) -> int:
    """Tokens of all prompts of `kinds`, for sizes in tokens: of all the templates, a prompt, a row with its answers,
    and what a chat adds."""
    return sum(
        kind.calls * (template + overhead + kind.prompts * prompt + kind.rows * row + kind.heard)
        for kind in kinds
    )
