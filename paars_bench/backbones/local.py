"""The embedded backbone: llama.cpp in this process, reached through LiteLLM like any other provider.

Flash attention is off on purpose. With it a reply depends on how much of the prompt was already cached (2 of 12 greedy
replies changed, log-probabilities by up to 3); without it a cached beginning gave equal bits (0 of 12 replies changed),
so an interrupted run that is resumed ends with the same numbers. A prompt asked again as a whole is the exception: one
token is left to read, another matrix product reads it, log-probabilities moved by up to 0.13 and 1 of 8 replies
changed. So the cache does not serve a prompt that was asked before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paars_bench.backbones.litellm import import_litellm
from paars_bench.backbones.model_file import MODEL_NAME, Note, runnable_gguf
from paars_bench.errors import MissingExtraError, PaarsError, UsageError
from paars_bench.files import file_sha256

PROVIDER = "paars_local"
DEFAULT_CONTEXT = 4096
PARAMS = ("temperature", "max_tokens", "seed", "stop", "top_p")
"""Parameters of a request that llama.cpp is given; others are recorded as not sent."""


class LocalServer:
    """One llama.cpp model, one slot: on two cores a second slot only slows the first (122 against 82 tokens/s).

    It is loaded by ``load``; before, its file is known and nothing can be asked.

    Args:
        path: a GGUF file, or None for the embedded model.
        options: ``n_ctx`` (tokens of context) and ``n_threads``.
        note: is told what takes time.
    """

    def __init__(self, path: Path | None, options: Mapping[str, str], note: Note) -> None:
        try:
            import xllamacpp
        except ImportError as error:
            raise MissingExtraError(
                "--model local needs the package xllamacpp: pip install 'paars-bench[local]'"
            ) from error
        self.context = _whole(options, "n_ctx", DEFAULT_CONTEXT)
        self.file, self.made = runnable_gguf(path, note)
        self.name = MODEL_NAME if path is None else self.file.stem
        self.sha256 = file_sha256(self.file)
        threads = _whole(options, "n_threads", min(os.cpu_count() or 1, 8))
        self._params = params = xllamacpp.CommonParams()
        params.model.path = str(self.file)
        params.n_ctx = self.context
        params.n_parallel = 1
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.warmup = False
        params.verbosity = -1
        self.engine = f"llama.cpp (xllamacpp {xllamacpp.__version__})"
        self._server: Any = None
        self._turn = threading.Lock()
        self._asked: set[bytes] = set()

    def load(self) -> None:
        """Loads the model, unless it is loaded.

        Raises:
            UsageError: llama.cpp cannot load the file.
        """
        if self._server is not None:
            return
        import xllamacpp

        try:
            with _quiet_stderr():
                self._server = xllamacpp.Server(self._params)
        except RuntimeError as error:
            raise UsageError(f"--model local: llama.cpp cannot load {self.file}: {error}") from error

    def chat(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answers one OpenAI-style chat request; blocks.

        Raises:
            PaarsError: llama.cpp answered with an error object.
        """
        prompt = hashlib.sha256(json.dumps(body["messages"]).encode()).digest()
        with self._turn:
            cached = {"cache_prompt": prompt not in self._asked}
            self._asked.add(prompt)
            reply: Any = self._server.handle_chat_completions({**body, **cached})
        if isinstance(reply, str):
            reply = json.loads(reply)
        if "choices" not in reply:
            raise PaarsError(str(reply.get("error") or reply)[:500])
        return dict(reply)

    def count_prompt(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Returns the tokens that the model reads for a prompt, its chat template and all."""
        prompt = self._tell("/apply-template", {"messages": list(messages)})["prompt"]
        return self.count_text(prompt, whole=True)

    def count_text(self, text: str, *, whole: bool = False) -> int:
        """Returns the tokens of a text; of a ``whole`` prompt those that begin it and stand for its roles too."""
        said = {"content": text, "add_special": whole, "parse_special": whole}
        return len(self._tell("/tokenize", said)["tokens"])

    def _tell(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Asks llama.cpp what its Python package has no function for, at the loopback address it listens at."""
        self.load()
        data = json.dumps(body).encode()
        url = self._server.listening_address + path
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return dict(json.load(answer))


def register(server: LocalServer) -> str:
    """Makes ``server`` a LiteLLM provider and returns the model name to call."""
    litellm = import_litellm()
    from litellm import CustomLLM
    from litellm.types.utils import Choices, Usage
    from litellm.types.utils import Message as LiteLLMMessage

    class LocalProvider(CustomLLM):  # type: ignore[misc]  # LiteLLM ships no types
        """Hands a LiteLLM call to the model in this process."""

        local_server = server

        async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
            options = kwargs["optional_params"]
            body = {"messages": kwargs["messages"]}
            body |= {k: options[k] for k in PARAMS if options.get(k) is not None}
            body |= _constraint(options.get("response_format"))
            model_response = kwargs["model_response"]
            try:
                reply = await asyncio.to_thread(server.chat, body)
            except PaarsError as error:
                raise _as_litellm_error(str(error)) from error
            choice = reply["choices"][0]
            model_response.choices = [
                Choices(
                    finish_reason=choice["finish_reason"],
                    message=LiteLLMMessage(role="assistant", content=choice["message"].get("content")),
                )
            ]
            model_response.model = server.name
            model_response.usage = Usage(**reply["usage"])
            return model_response

    def _as_litellm_error(text: str) -> Exception:
        kind: Any = litellm.exceptions.BadRequestError
        if "context" in text and ("exceed" in text or "larger" in text):
            kind = litellm.exceptions.ContextWindowExceededError
        error: Exception = kind(message=text, model=server.name, llm_provider=PROVIDER)
        return error

    others = [p for p in litellm.custom_provider_map if p["provider"] != PROVIDER]
    litellm.custom_provider_map = [*others, {"provider": PROVIDER, "custom_handler": LocalProvider()}]
    litellm.utils.custom_llm_setup()
    return f"{PROVIDER}/{server.name}"


def running_server(model: str) -> LocalServer | None:
    """Returns the server behind a model's name, None where it is not one in this process."""
    handlers = {p["provider"]: p["custom_handler"] for p in import_litellm().custom_provider_map}
    found: LocalServer | None = getattr(handlers.get(model.partition("/")[0]), "local_server", None)
    return found


def _constraint(wanted: Any) -> dict[str, Any]:
    """Returns what holds a reply to its schema: for a list of values a grammar, else the schema itself.

    After a whole JSON value llama.cpp lets white space follow, and a small model goes on with it: the reply ``1`` to a
    1-of-4 choice took 17 to 19 tokens, and was cut off before its end under a lower cap. With the grammar it takes 2.
    """
    if not wanted:
        return {}
    values = wanted["json_schema"]["schema"].get("enum")
    if not values:
        return {"response_format": wanted}
    words = (json.dumps(json.dumps(v, ensure_ascii=False), ensure_ascii=False) for v in values)
    return {"grammar": f"root ::= {' | '.join(words)}"}


class _quiet_stderr:
    """llama.cpp prints its load log to the file descriptor, past Python's logging."""

    def __enter__(self) -> None:
        self._kept = os.dup(2)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)

    def __exit__(self, *exc: object) -> None:
        os.dup2(self._kept, 2)
        os.close(self._kept)


def _whole(options: Mapping[str, str], key: str, default: int) -> int:
    text = options.get(key)
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"--model_args {key}={text}: needs a whole number above 0, such as {key}={default}")
    return int(text)
