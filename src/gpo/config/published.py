"""The published protocols of the baselines as configuration sections: every number of a protocol is a key here.

The defaults are the published numbers; `method: {name: apo-original, rounds: 2}` changes one of them. The protocols are
in `gpo.optimizer.published`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gpo.config.section import Section

Count = Annotated[int, Field(gt=0)]
Temperature = Annotated[float, Field(ge=0, le=2)]
SelectionName = Literal["ucb", "successive-rejects", "successive-halving", "brute-force"]


class ApeConfig(Section):
    """APE: Zhou et al. 2022, arXiv 2211.01910; github.com/keirp/automatic_prompt_engineer."""

    name: Literal["ape-original"] = "ape-original"
    """The protocol."""
    subsets: Count = 3
    """Different sets of demonstrations that instructions are induced from."""
    demonstrations: Count = 5
    """Train rows a set."""
    samples: Count = 30
    """Instructions sampled from each set."""
    temperature: Temperature = 0.9
    """Of the optimizer's samples."""
    max_tokens: Count = 50
    """Most tokens of an induced instruction."""
    selection: Literal["accuracy", "ucb"] = "accuracy"
    """accuracy: every instruction is run on the same `examples` dev rows. ucb: a bandit spreads the rows."""
    examples: Count = 20
    """Dev rows that every instruction is run on (selection: accuracy)."""
    bandit_rounds: Count = 5
    """Rounds of the bandit that estimates the prompts."""
    bandit_prompts: Count = 50
    """Prompts that are run in a round of the bandit."""
    bandit_samples: Count = 50
    """Dev rows that a prompt is run on in a round of the bandit."""
    c: Annotated[float, Field(ge=0)] = 1.0
    """How much the bandit explores."""
    rounds: Annotated[int, Field(ge=0)] = 3
    """Rounds of resampling: meaning-preserving rewrites of the best prompt. 0 is induction alone."""
    rewrites: Count = 30
    """Rewrites sampled in a round."""
    rewrite_temperature: Temperature = 0.7
    """Of the rewrites of later rounds."""


class ApoConfig(Section):
    """APO, also called ProTeGi: Pryzant et al. 2023, arXiv 2305.03495; github.com/microsoft/LMOps."""

    name: Literal["apo-original"] = "apo-original"
    """The protocol."""
    rounds: Count = 6
    """Rounds of expanding the beam and choosing from it."""
    beam: Count = 4
    """Prompts that live through a round."""
    minibatch: Count = 64
    """Train rows that a round looks for errors in, the same for the whole beam."""
    groups: Count = 4
    """Groups of errors a prompt; each is given one reason, and each reason one edit."""
    errors: Count = 4
    """Errors a group."""
    paraphrases: Annotated[int, Field(ge=0)] = 2
    """Paraphrases of every edit and of the prompt itself."""
    expansion: Count = 8
    """New prompts kept of each prompt of the beam, drawn at random."""
    temperature: Temperature = 0.7
    """Of the optimizer's samples."""
    max_tokens: Count = 1024
    """Most tokens of a reply of the optimizer."""
    selection: SelectionName = "ucb"
    """The bandit that chooses the next beam."""
    bandit_rounds: Count = 8
    """Rounds of that bandit."""
    bandit_prompts: Count = 8
    """Prompts that the bandit looks at in a round."""
    bandit_samples: Count = 32
    """Rounds x prompts x samples is the budget of every kind of selection: 2,048 (prompt, row) pairs."""
    c: Annotated[float, Field(ge=0)] = 1.0
    """How much UCB explores (1.0 in the code, 2.0 in the paper)."""


class OproConfig(Section):
    """OPRO: Yang et al. 2023, arXiv 2309.03409; github.com/google-deepmind/opro."""

    name: Literal["opro-original"] = "opro-original"
    """The protocol."""
    steps: Count = 200
    """Steps of the search."""
    samples: Count = 8
    """Prompts sampled a step."""
    shown: Count = 20
    """Best prompts shown a step, in ascending order."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.3
    """A prompt with a lower score is not shown (0.3 for GPT models; PaLM 2 used 0)."""
    exemplars: Annotated[int, Field(ge=0)] = 3
    """Train rows shown a step, drawn anew."""
    temperature: Temperature = 1.0
    """Of the optimizer's samples."""
    max_tokens: Count = 512
    """Most tokens of a reply of the optimizer."""
    max_characters: Count = 500
    """A longer prompt is rejected."""
    digits: bool | None = None
    """Whether a prompt may hold digits; null: not where the answers are numbers."""


class Pe2Config(Section):
    """PE2: Ye et al. 2023, arXiv 2311.05661; github.com/INK-USC/PE2."""

    name: Literal["pe2-original"] = "pe2-original"
    """The protocol."""
    rounds: Count = 3
    """Rounds of the search."""
    beam: Count = 4
    """Prompts that a round goes on from."""
    proposals: Count = 4
    """New prompts a prompt of the beam."""
    batch: Count = 2
    """Failures that one proposal looks at."""
    backtracking: bool = True
    """The beam is chosen from all earlier prompts, and not from the last round's alone."""
    inspection_temperature: Temperature = 0.5
    """Of the reply that inspects the failures."""
    inspection_tokens: Count = 1500
    """Most tokens of that reply."""
    temperature: Temperature = 0.7
    """Of the replies that write a new prompt."""
    max_tokens: Count = 300
    """Most tokens of such a reply."""
    max_words: Count | None = 50
    """The length that the rewrite is asked to keep to."""
    step_size: Count | None = None
    """Words that may be changed; 10 in the ablation, none in the final setting."""
    history: bool = False
    """Show a prompt's own past refinements; off in the final setting."""
    history_tokens: Count = 200
    """Most tokens of the reply that sums up past refinements."""


PublishedConfig = ApeConfig | ApoConfig | OproConfig | Pe2Config
PUBLISHED: dict[str, type[PublishedConfig]] = {
    "ape-original": ApeConfig,
    "apo-original": ApoConfig,
    "opro-original": OproConfig,
    "pe2-original": Pe2Config,
}
