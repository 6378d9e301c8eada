"""Why a backbone cannot be opened is said before any work, and without a network."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from loopback import Provider, chat

from paars_bench.backbones.aliases import provider_keys
from paars_bench.backbones.door import Request
from paars_bench.backbones.open import open_backbone
from paars_bench.errors import MissingExtraError, MissingKeyError, PaarsError, UsageError
from paars_bench.outcomes import Outcome


def opened(model: str, **args: str) -> Any:
    return open_backbone(model, args, note=lambda _: None)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key in the environment, and no way out of this machine."""
    for name in provider_keys():
        monkeypatch.delenv(name, raising=False)

    def refused(host: Any, *_: Any, **__: Any) -> Any:
        if host in ("127.0.0.1", "localhost"):
            return real(host, *_, **__)
        raise AssertionError(f"looked up {host}")

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("claude", "ANTHROPIC_API_KEY"),
        ("gpt", "OPENAI_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("mistral", "MISTRAL_API_KEY"),
        ("grok", "XAI_API_KEY"),
        ("llama", "LLAMA_API_KEY"),
        ("openai/gpt-5.6", "OPENAI_API_KEY"),
        ("groq/openai/gpt-oss-120b", "GROQ_API_KEY"),
    ],
)
def test_a_missing_key_is_named(model: str, variable: str) -> None:
    with pytest.raises(MissingKeyError, match=variable) as stop:
        opened(model)
    assert "--model_args api_key=" in str(stop.value)
    assert "\n" not in str(stop.value)


def test_a_key_of_the_environment_or_of_the_command_line_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened("claude", api_key="sk-ant-test-000000").traits.litellm_model.startswith("anthropic/")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-000000")
    traits = opened("claude").traits
    assert traits.name == "claude"
    assert not traits.scripted
    assert traits.tools
    assert "sk-ant-test" not in repr(traits)


@pytest.mark.parametrize(
    ("model", "key", "near"), [("local", "n_ctxx", "n_ctx"), ("random", "history_token", "history_tokens")]
)
def test_an_argument_nobody_reads_names_the_nearest(model: str, key: str, near: str) -> None:
    with pytest.raises(UsageError, match=rf"{model}.*{key}.*did you mean '{near}'"):
        opened(model, **{key: "5"})


@pytest.mark.parametrize(("key", "value"), [("n_ctx", "big"), ("n_ctx", "0"), ("n_threads", "-1"), ("n_ctx", "1.5")])
def test_a_number_of_the_local_model_that_is_none(key: str, value: str) -> None:
    pytest.importorskip("xllamacpp", reason="the extra `local` is not installed")
    with pytest.raises(UsageError, match=rf"{key}={value}: needs a whole number above 0, such as {key}="):
        opened("local", **{key: value})


@pytest.mark.parametrize("model", ["clude", "gptt", "randm", "lokal"])
def test_an_unknown_name_names_the_nearest(model: str) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        opened(model)


def test_an_unknown_provider() -> None:
    with pytest.raises(UsageError, match="LiteLLM knows no provider"):
        opened("nosuchprovider/model-1", api_key="x")


@pytest.mark.parametrize("value", ["soon", "", "5s"])
def test_a_timeout_that_is_no_number(value: str) -> None:
    with pytest.raises(UsageError, match=f"timeout={value}: needs a number above 0, such as timeout=60"):
        opened("claude", timeout=value, api_key="sk-ant-test-000000")


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf"])
def test_a_timeout_that_no_call_can_keep(value: str) -> None:
    with pytest.raises(UsageError, match="needs a number above 0"):
        opened("claude", timeout=value, api_key="sk-ant-test-000000")


def test_a_local_file_that_is_missing_or_no_model(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="the extra `local` is not installed")
    with pytest.raises(UsageError, match="no such file"):
        opened(f"local:{tmp_path / 'gone.gguf'}")
    text = tmp_path / "text.gguf"
    text.write_text("not a model")
    with pytest.raises(UsageError, match="not a GGUF file"):
        opened(f"local:{text}")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 64)
    with pytest.raises(PaarsError, match="cannot load"):
        opened(f"local:{broken}")


def test_local_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'paars-bench\[local\]'"):
        opened("local")


@pytest.mark.parametrize("name", ["random", "first", "popular", "logit", "human"])
def test_baselines_need_nothing(name: str) -> None:
    traits = opened(name).traits
    assert (traits.scripted, traits.litellm_model) == (True, f"scripted/{name}")


def test_the_arguments_of_the_harness_are_not_sent(provider: Provider) -> None:
    provider.script(chat())
    door = opened(
        "openai/test", api_base=f"{provider.url}/v1", api_key="sk-test-0000000", history_tokens="500", timeout="5"
    )
    reply = asyncio.run(door.complete(Request([{"role": "user", "content": "hi"}])))
    assert reply.outcome is Outcome.OK
    assert "history_tokens" not in provider.asked[0].body


def test_a_server_of_ones_own_takes_any_key(provider: Provider) -> None:
    with pytest.raises(MissingKeyError, match="api_key=none"):
        opened("openai/test", api_base=f"{provider.url}/v1")
    provider.script(chat())
    door = opened("openai/test", api_base=f"{provider.url}/v1", api_key="none")
    assert asyncio.run(door.complete(Request([{"role": "user", "content": "hi"}]))).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("model", "asked", "acts_by", "said"),
    [
        ("openai/gpt-4o-mini", None, "tools", "tools"),
        ("openai/gpt-4o-mini", "schema", "schema", "schema, as asked"),
        ("openai/gpt-4o-mini", "text", "text", "text, as asked"),
        ("openai/test", None, "text", "text"),
        ("openai/test", "tools", "tools", "tools, as asked; LiteLLM does not list it for this model"),
        ("openai/test", "schema", "schema", "schema, as asked; LiteLLM does not list it for this model"),
    ],
)
def test_the_way_to_act_follows_litellm_or_the_user_and_is_recorded(
    model: str, asked: str | None, acts_by: str, said: str
) -> None:
    traits = opened(model, api_key="sk-test-0000000", **({"acting": asked} if asked else {})).traits
    assert (traits.acts_by, traits.details["acting"]) == (acts_by, said)
    assert traits.tools or acts_by != "tools"


@pytest.mark.parametrize(
    ("model", "asked", "says"),
    [
        ("openai/gpt-4o-mini", "tool", "acts by one of tools, schema, text"),
        ("local", "tools", "acts by one of schema, text"),
        ("random", "text", "is a baseline"),
        ("logit", "tools", "is a baseline"),
        ("ollama/llama3", "tools", "does not take tools"),
    ],
)
def test_a_way_to_act_that_there_is_not_is_refused(model: str, asked: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"acting={asked}: {model}.*{says}" if says[0] != "a" else says):
        opened(model, acting=asked, **({} if "/" not in model else {"api_key": "sk-test-0000000"}))
