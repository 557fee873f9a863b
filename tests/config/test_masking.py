"""What of an address is shown: who answers and in which version, and no password and no key."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpo.config.load import dump_config, parse_config
from gpo.config.masking import is_masked, masked_url, url_secrets
from gpo.errors import ConfigError
from gpo.model.factory import open_model

PLAIN = [
    "http://localhost:8000/v1",
    "https://gateway.example/openai/deployments/gpt-4o?api-version=2024-10-21",
    "https://[::1]:8443/v1",
    "not an address at all",
    "",
]


@pytest.mark.parametrize("url", PLAIN)
def test_an_address_without_secrets_is_shown_as_it_is(url: str) -> None:
    assert masked_url(url) == url
    assert not is_masked(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:pw@host:81/v1", "https://***@host:81/v1"),
        ("https://token@host/v1", "https://***@host/v1"),
        ("https://host/v1?api-key=abc", "https://host/v1?api-key=***"),
        (
            "https://host/v1?api-version=2024-10-21&subscription-key=abc&alone",
            "https://host/v1?api-version=2024-10-21&subscription-key=***&***",
        ),
        ("https://host/v1?api-version=1;api-key=abc", "https://host/v1?api-version=***"),
        ("https://host/v1#abc", "https://host/v1#***"),
        # No part of these can be told for sure from the others.
        ("https://ada:p/w@host/v1", "https://***@host/v1"),
        ("https://ada/pw@host/v1", "https://***@host/v1"),
        ("https://ada:p?w@host/v1", "https://***"),
        ("ada:pw@host/v1", "***@host/v1"),
        ("http://host:port/v1?key=abc", "http://host:port/v1?***"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert masked_url(url) == shown
    assert masked_url(shown) == shown
    assert is_masked(shown)
    assert not is_masked(url)


SECRET = st.text(min_size=6, max_size=20).filter(lambda text: "*" not in text)


@given(st.text(max_size=8), SECRET, st.sampled_from(["key", "api-key", "version ", "sig"]))
def test_no_secret_survives(user: str, secret: str, name: str) -> None:
    host = "host.example/v1"
    if secret in f"https://***@{host}?{name}=":
        return
    for spelling in {secret, quote(secret, safe="")}:
        for url in (f"https://{user}:{spelling}@{host}", f"https://{host}?{name}={spelling}"):
            shown = masked_url(url)
            assert masked_url(shown) == shown
            assert spelling not in shown


def test_what_a_server_may_echo_is_known_in_both_spellings() -> None:
    found = url_secrets("https://ada:p%40ss@host/v1?api-version=2024-10-21&api-key=a%2Bb+cdef&x=1")
    assert set(found) == {"p%40ss", "p@ss", "a%2Bb+cdef", "a+b+cdef", "a+b cdef"}
    assert url_secrets("https://host/v1?key=ab@cdef") == ("ab@cdef",)


def test_a_configuration_is_written_without_them_and_asks_for_them_again() -> None:
    model = {"model": "m", "base_url": "https://ada:pw@host/v1?api-version=1&api-key=abc"}
    config = parse_config({"task": {"data": "gpo/tickets"}, "models": {"task": model, "optimizer": model}})
    text = dump_config(config)
    again = parse_config(yaml.safe_load(text))
    assert again.models.task.base_url == "https://***@host/v1?api-version=1&api-key=***"
    assert dump_config(again) == text
    assert open_model(config.models.task, role="task").client.identity == "https://host/v1 m"
    line = r"^models\.task\.base_url: \*\*\* stands for .*; put the password or key in again$"
    with pytest.raises(ConfigError, match=line):
        open_model(again.models.task, role="task")


@pytest.mark.parametrize(
    "url", ["ftp://ada:secretpw@host/v1", "host/v1?api-key=secretpw", "ada:secretpw@host"]
)
def test_a_wrong_address_is_told_without_its_secrets(url: str) -> None:
    model = {"model": "m", "base_url": url}
    config = parse_config({"task": {"data": "x"}, "models": {"task": model, "optimizer": model}})
    with pytest.raises(ConfigError, match=r"models\.task\.base_url: .*https?://") as caught:
        open_model(config.models.task, role="task")
    assert "secretpw" not in str(caught.value)


def test_what_stands_in_the_wrong_place_is_told_without_its_secrets() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"task": {"data": "x"}, "models": {"task": "http://ada:secretpw@host/v1"}})
    assert "models.task" in str(caught.value)
    assert "secretpw" not in str(caught.value)
