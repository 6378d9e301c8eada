"""Keys never reach anything that is kept."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.backbones.redact import SECRET_ARGS, Redactor, is_secret, public_args, secrets_of

_PLAIN = st.text(string.ascii_letters + " .,:\n", max_size=60)


@given(before=_PLAIN, secret=st.text(string.ascii_letters + string.digits, min_size=8, max_size=40), after=_PLAIN)
def test_a_given_secret_is_gone_wherever_it_stands(before: str, secret: str, after: str) -> None:
    assert secret not in Redactor([secret])(before + secret + after)


@pytest.mark.parametrize("name", ["SOME_API_KEY", "HF_TOKEN", "client_secret", "DB_PASSWORD"])
def test_secrets_of_the_environment_are_found_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "plainwordsecret")
    assert Redactor()("the provider says plainwordsecret is wrong") == "the provider says [key] is wrong"


def test_other_variables_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAVOURITE_WORD", "plainword")
    monkeypatch.setenv("SHORT_KEY", "no")
    assert Redactor()("no plainword here") == "no plainword here"


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert Redactor(["abcdefgh", "abcdefgh-and-more"])("abcdefgh-and-more") == "[key]"


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-4f9dAAbbCCdd",
        "sk-ant-api03-xyzXYZ012",
        "sk-12345***********6789",
        "AIzaSyA1234567890abcdef",
        "gsk_abcdefgh12345678",
        "hf_abcdefghijklmnop",
        "xai-0123456789abcdef",
        "Bearer eyJhbGciOi.J9.x",
    ],
)
def test_what_looks_like_a_key_is_gone_without_being_known(key: str) -> None:
    assert Redactor()(f"Incorrect: {key}, see the docs").startswith("Incorrect: [key]")
    assert key.split()[-1].rstrip(",") not in Redactor()(f"Incorrect: {key}, see the docs")


@pytest.mark.parametrize(
    "text", ["skateboarding shoes", "a skyscraper poster", "rkive-like", "pkgconfig failed", "hfoo"]
)
def test_words_that_begin_like_a_key_stay(text: str) -> None:
    assert Redactor()(text) == text


def test_model_args_as_they_may_be_written_down() -> None:
    given = {
        "api_key": "x",
        "aws_secret_access_key": "y",
        "token": "z",
        "api_base": "https://me:pass@host.example/v1?api_key=hidden&api-version=2024-10-21&x",
        "authorization": "Bearer abc",
        "timeout": "60",
        "max_tokens": "5",
    }
    assert public_args(given) == {
        "api_key": "[key]",
        "aws_secret_access_key": "[key]",
        "token": "[key]",
        "api_base": "https://[key]@host.example/v1?api_key=[key]&api-version=2024-10-21&x",
        "authorization": "[key]",
        "timeout": "60",
        "max_tokens": "5",
    }


def test_every_listed_argument_is_a_secret() -> None:
    assert all(is_secret(name) for name in SECRET_ARGS)
    assert not any(is_secret(name) for name in ("api_base", "timeout", "max_tokens", "n_ctx"))


@pytest.mark.parametrize("short", ["a", "none", "x", "EMPTY"])
def test_a_placeholder_takes_no_words_out_of_a_sentence(short: str) -> None:
    assert Redactor([short])("none of a model's EMPTY boxes") == "none of a model's EMPTY boxes"


def test_secrets_inside_an_address_are_known_too() -> None:
    address = "https://me:passwordpassword@h/v1?code=abcdefgh%2Fij&api-version=2024-10-21"
    secrets = set(secrets_of({"api_base": address, "authorization": "Bearer abcdefgh", "timeout": "60"}))
    assert {"passwordpassword", "abcdefgh/ij", "abcdefgh%2Fij", "abcdefgh"} <= secrets
    assert not {"2024-10-21", "60", "v1"} & secrets


def test_of_a_reply_only_known_secrets_are_taken() -> None:
    redact = Redactor(["my-own-secret"])
    assert redact.known("sk-ii-facial-treatment my-own-secret") == "sk-ii-facial-treatment [key]"
