"""The simulated landscape has the slope that other tests rely on."""

from __future__ import annotations

from random import Random

from tests.support.landscape import VOCABULARY, Landscape, current_prompt, shown_prompts

META = """Earlier prompts:

Prompt: amber copper
Score: 12.5

The current prompt:

Prompt: basket iron
Score: 62.5

Change at most 3 words of the current prompt.
Reply between <START> and <END>."""


def body(text: str, seed: int = 0) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], "seed": seed}


def measured(landscape: Landscape, prompt: str, size: int = 400) -> float:
    rows = landscape.rows(size)
    right = (landscape.answer(body(f"{row['input']}\n{prompt}")) == row["target"] for row in rows)
    return sum(right) / size


def test_good_words_help_and_harmful_ones_hurt() -> None:
    landscape = Landscape()
    good = [word for word, weight in landscape.weights.items() if weight > 0]
    bad = [word for word, weight in landscape.weights.items() if weight < 0]
    assert abs(landscape.accuracy(" ".join(good)) - landscape.ceiling) < 1e-9
    prompts = ["", " ".join(good[:3]), " ".join(good)]
    low, middle, high = (measured(landscape, prompt) for prompt in prompts)
    assert low < middle < high
    assert measured(landscape, " ".join([*good[:3], *bad[:2]])) < middle
    for prompt, value in zip(prompts, (low, middle, high), strict=True):
        assert abs(value - landscape.accuracy(prompt)) < 0.1


def test_prompts_and_scores_are_read_from_a_meta_prompt() -> None:
    assert shown_prompts(META) == [("amber copper", 12.5), ("basket iron", 62.5)]
    assert current_prompt(META) == "basket iron"
    swapped = META.replace("Earlier prompts", "The current prompt", 1).replace(
        "prompt:\n\nPrompt: b", "s:\n\nPrompt: b"
    )
    assert current_prompt(swapped) == "amber copper"


def test_the_optimizer_repeats_itself_for_a_seed_and_keeps_the_limit() -> None:
    landscape = Landscape()
    replies = [landscape.answer(body(META, seed)) for seed in range(50)]
    assert replies == [landscape.answer(body(META, seed)) for seed in range(50)]
    assert len(set(replies)) > 25
    for reply in replies:
        words = reply.removeprefix("<START>").removesuffix("<END>").split()
        assert abs(len(words) - 2) <= 3
        assert set(words) <= {*VOCABULARY, "basket", "iron"}


def test_following_the_scores_climbs() -> None:
    landscape, draw = Landscape(), Random(1)
    seen = [("amber anchor", landscape.accuracy("amber anchor"))]
    for step in range(15):
        shown = sorted(seen, key=lambda pair: pair[1])[-3:]
        text = "".join(f"Prompt: {p}\nScore: {100 * s:.1f}\n\n" for p, s in shown) + "Reply in <START> <END>"
        for _ in range(8):
            reply = landscape.answer(body(text, draw.randrange(10**6) + step))
            prompt = reply.removeprefix("<START>").removesuffix("<END>")
            seen.append((prompt, landscape.accuracy(prompt)))
    assert max(score for _, score in seen) > seen[0][1] + 0.3
