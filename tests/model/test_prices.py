"""What a model costs, where that is known."""

from __future__ import annotations

from typing import Any

import pytest

from gpo.config.models import ModelConfig, Price
from gpo.errors import ConfigError
from gpo.model.model import Usage
from gpo.model.openai.url import clean_url, wire_identity
from gpo.model.prices import cost, price


def of(model: str, **settings: Any) -> Price | None:
    return price(ModelConfig(model=model, **settings))


def test_a_known_model_has_the_provider_s_price() -> None:
    found = of("openai/gpt-4o-mini")
    # OpenAI's list price, dollars for a million tokens: 0.15 in, 0.075 cached, 0.60 out.
    assert found is not None
    assert (found.input, found.cached_input, found.output) == pytest.approx((0.15, 0.075, 0.60))


def test_a_provider_is_known_by_its_address() -> None:
    named, addressed = of("openai/gpt-4o-mini"), of("gpt-4o-mini", base_url="https://api.openai.com/v1")
    assert named == addressed
    assert of("deepseek-chat", base_url="https://api.deepseek.com/v1") is not None


def test_local_weights_cost_nothing_and_the_unknown_is_unknown() -> None:
    for name in ("local/smollm2-135m", "weights/some.gguf"):
        assert cost(Usage(prompt_tokens=10, completion_tokens=10), of(name)) == 0.0
    unknown = [
        of("openai/no-such-model-of-theirs"),
        of("some-name", base_url="https://models.example.org/v1"),
        of("gpt-4o-mini", base_url="http://localhost:4000/v1"),
    ]
    assert unknown == [None, None, None]
    assert cost(Usage(prompt_tokens=1), None) is None


def test_the_user_s_price_wins() -> None:
    own = Price(input=3, output=4)
    assert of("openai/gpt-4o-mini", price=own) == own
    assert of("local/smollm2-135m", price=own) == own


def test_cost_is_worked_out_by_hand() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=500_000, cached_tokens=400_000)
    # 0.6 M at $2 + 0.4 M at $0.5 + 0.5 M at $10
    assert cost(usage, Price(input=2, output=10, cached_input=0.5)) == pytest.approx(1.2 + 0.2 + 5.0)
    # Without a rate of their own cached tokens cost what the others do.
    assert cost(usage, Price(input=2, output=10)) == pytest.approx(2.0 + 5.0)


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("HTTPS://API.OpenAI.com:443/v1/", "https://api.openai.com/v1"),
        (" http://me:secret@host:8000/v1?key=secret#x ", "http://host:8000/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://host/v1/chat/completions/", "http://host/v1"),
        ("http://host", "http://host"),
    ],
)
def test_an_endpoint_has_one_spelling_and_no_secret(written: str, clean: str) -> None:
    assert clean_url(written) == clean
    assert wire_identity(written, "m") == f"{clean} m"


def test_a_wrong_address_is_told_without_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        clean_url("me:secret@host/v1")
    assert str(caught.value).startswith("'***@host/v1' is no address of a server")
