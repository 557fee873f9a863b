"""Word differences: what both have, in reading order, nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpo.result.word_diff import compare_words

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "one two", "\n"]), max_size=12).map(" ".join)


@given(TEXTS, TEXTS)
def test_kept_and_added_words_are_the_new_text(before: str, after: str) -> None:
    pieces = list(compare_words(before, after))
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
    kept = [w for piece in pieces if piece.kind != "added" for w in piece.text.split()]
    assert kept == before.split()


def test_a_changed_word_is_removed_and_added_in_its_place() -> None:
    pieces = [(piece.kind, piece.text) for piece in compare_words("think step by step", "think word by step")]
    assert pieces == [("same", "think "), ("removed", "step "), ("added", "word "), ("same", "by step")]


def test_very_long_prompts_are_compared_at_their_ends() -> None:
    before = "start " + "old " * 20_000 + "end"
    after = "start " + "new " * 20_000 + "end"
    pieces = [(piece.kind, len(piece.text.split())) for piece in compare_words(before, after)]
    assert pieces == [("same", 1), ("removed", 20_000), ("added", 20_000), ("same", 1)]
