"""The encoder that is made once writes what the standard library writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo import compact_json
from gpo.compact_json import compact_encoder

texts = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["\ud800\udc00", "\x00\x1f\x7f", '"\\/', "\u2028"]
)
values: st.SearchStrategy[Any] = st.recursive(
    texts | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(values, st.booleans())
def test_it_writes_what_the_standard_library_writes(value: Any, ensure_ascii: bool) -> None:
    expected = json.dumps(value, ensure_ascii=ensure_ascii, separators=(",", ":"))
    assert compact_encoder(ensure_ascii=ensure_ascii)(value) == expected


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        compact_encoder(ensure_ascii=False)({"a": object()})


def unknown(*settings: Any) -> Any:
    raise AttributeError("c_make_encoder")


@pytest.mark.parametrize("made", [unknown, lambda *settings: lambda value: "{}"])
def test_another_python_falls_back_on_the_interface(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact_json, "_made_once", made)
    assert compact_encoder(ensure_ascii=False)({"a": [1, "é"]}) == '{"a":[1,"é"]}'
