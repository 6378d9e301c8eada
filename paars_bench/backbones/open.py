"""From the name a user typed to an open backbone, with every reason it cannot work said before any work."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from paars_bench.backbones.acting import acting_as, acting_asked, check_provider
from paars_bench.backbones.aliases import resolve
from paars_bench.backbones.door import Acting, Backbone, Traits
from paars_bench.errors import MissingKeyError, UsageError, printable

if TYPE_CHECKING:
    from paars_bench.backbones.batch_log import Lines
    from paars_bench.backbones.response_cache import ResponseCache
    from paars_bench.backbones.throttle import Gate

# Read by the harness; everything else in --model_args goes to LiteLLM.
OWN_ARGS = {
    "history_tokens": "tokens of shopping history in a prompt",
    "acting": "how it acts in sessions: tools, schema or text",
    "deadline": "seconds for one request, all attempts and waits together",
    "calls_per_minute": "calls begun in a minute at most",
}
# How a call is made, not what is asked: a run may be resumed with others. history_tokens is compared by what it gives.
NOT_ASKED = frozenset(
    {
        "deadline",
        "calls_per_minute",
        "timeout",
        "max_retries",
        "num_retries",
        "n_threads",
        "stream_timeout",
        "history_tokens",
    }
)
LOCAL_ARGS = {"n_ctx": "tokens of context", "n_threads": "threads of llama.cpp"}


def open_backbone(
    model: str,
    model_args: Mapping[str, str],
    note: Callable[[str], None],
    *,
    will_call: bool = True,
    cache: ResponseCache | None = None,
    batches: Lines | None = None,
    gate: Gate | None = None,
) -> Backbone:
    """Opens a backbone: alias, LiteLLM name, ``local``, ``local:PATH.gguf`` or a scripted baseline.

    Args:
        model: as the user typed it.
        model_args: as in ``--model_args``.
        note: is told what takes time.
        will_call: False where nothing will be asked: a missing key is told to ``note`` and refuses nothing.
        cache: keeps a model's replies; while it serves them, a missing key is refused at the first that it lacks, and
            a model in this process is loaded then.
        batches: where is written down what was sent in batches; None: every call is sent by itself.
        gate: lets the calls of a hosted model begin; None: as many as the provider takes.

    Raises:
        UsageError: unknown name, an argument the backbone does not have, or no batches of this model.
        MissingKeyError: the provider's API key is not set, calls will be made and no cache serves any.
        MissingExtraError: ``local`` without its extra.
    """
    resolved = resolve(model)
    args = {k: v for k, v in model_args.items() if k not in OWN_ARGS}
    if resolved.kind == "scripted":
        from paars_bench.backbones.baselines import scripted_backbone

        _refuse(args, {}, model)
        acting_asked(model_args, model, ())
        return scripted_backbone(resolved.name)
    if resolved.kind == "local":
        # llama.cpp offers tools to the model, but one of this size ignores them
        asked = acting_asked(model_args, model, (Acting.SCHEMA, Acting.TEXT))
        return _open_local(model, resolved.path, args, note, asked, cache)
    asked = acting_asked(model_args, model)
    _check_arguments(args, note)
    limits = {key: _above_0(key, model_args[key]) for key in ("deadline", "calls_per_minute") if key in model_args}
    if batches is not None and limits:
        raise UsageError(f"--batch: a batch is sent at once, so {' and '.join(limits)} could not act; leave it out")
    sent = None if batches is None else (batches, note)
    backbone = _open_hosted(model, resolved.litellm_model, args, asked, cache, limits, sent, gate)
    missing = _missing_key(model, resolved.litellm_model, resolved.key_env, args)
    if not missing:
        return backbone
    if not will_call:
        note(missing)
    elif cache is not None and cache.use.reads:
        cache.prepare = partial(_refuse_to_ask, missing, cache)
        note(f"{missing}; without it only what the cache holds is answered")
    else:
        raise MissingKeyError(missing)
    return backbone


def _refuse_to_ask(missing: str, cache: ResponseCache) -> None:
    raise MissingKeyError(f"{missing}; {cache.served:,} calls were served from the cache, and it lacks the next")


def _refuse(args: Mapping[str, str], valid: Mapping[str, str], model: str) -> None:
    for key in args:
        if key not in valid:
            from paars_bench.errors import unknown

            raise UsageError(unknown(f"--model_args key for {model}", key, {**valid, **OWN_ARGS}))


def _check_arguments(args: Mapping[str, str], note: Callable[[str], None]) -> None:
    """Refuses an argument that looks like a slip of one LiteLLM takes; tells of others that it does not list.

    Raises:
        UsageError: with the name that was meant.
    """
    known = {*_common_arguments(), *OWN_ARGS}
    for key in args:
        if key in known:
            continue
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.8)
        if close:
            raise UsageError(f"--model_args: unknown key {key!r}: did you mean {close[0]!r}?")
        note(f"--model_args {printable(key)}: not an argument LiteLLM lists; passed on as it is")


def _common_arguments() -> set[str]:
    """Returns the arguments that LiteLLM takes beside what a provider's own may be."""
    from paars_bench.backbones.litellm import import_litellm

    litellm = import_litellm()
    listed = {*litellm.all_litellm_params, *litellm.constants.DEFAULT_CHAT_COMPLETION_PARAM_VALUES}
    own = {f.alias or name for name, f in litellm.types.router.GenericLiteLLMParams.model_fields.items()}
    return listed | own | {"api_base", "base_url", "api_key", "timeout", "organization", "authorization", "top_k"}


def _open_local(
    model: str,
    path: Path | None,
    args: Mapping[str, str],
    note: Callable[[str], None],
    asked: Acting | None,
    cache: ResponseCache | None,
) -> Backbone:
    from paars_bench.backbones.gateway import LiteLLMBackbone
    from paars_bench.backbones.local import LocalServer, register

    _refuse(args, LOCAL_ARGS, model)
    server = LocalServer(path, args, note)
    if cache is not None and cache.use.reads:
        cache.prepare = server.load
    else:
        server.load()
    name = register(server)
    traits = Traits(
        name=model,
        litellm_model=name,
        scripted=False,
        context_tokens=server.context,
        tools=False,
        reply_schema=True,
        any_schema=True,
        max_concurrency=1,
        details={
            "model": server.name,
            "file": server.file.name,
            "file_sha256": server.sha256,
            "made": server.made,
            "engine": server.engine,
            "cost": "none",
        },
    )
    return LiteLLMBackbone(model, name, {}, traits=acting_as(traits, asked), attempts=1, cache=cache)


def _open_hosted(
    model: str,
    litellm_model: str,
    args: Mapping[str, str],
    asked: Acting | None,
    cache: ResponseCache | None,
    limits: Mapping[str, float],
    batches: tuple[Lines, Callable[[str], None]] | None,
    gate: Gate | None,
) -> Backbone:
    from paars_bench.backbones.gateway import DEADLINE, LiteLLMBackbone
    from paars_bench.backbones.litellm import import_litellm

    litellm = import_litellm()
    options: dict[str, object] = dict(args)
    if "timeout" in args:
        options["timeout"] = _above_0("timeout", args["timeout"])
    try:
        route, provider, *_ = litellm.get_llm_provider(litellm_model, api_base=args.get("api_base"))
    except litellm.exceptions.BadRequestError:
        raise UsageError(
            f"--model {model}: LiteLLM knows no provider for it; write provider/model, such as openai/{model}, "
            "or see `paars-bench ls models`"
        ) from None
    check_provider(litellm, route, provider, asked, model)
    if batches is not None:
        from paars_bench.backbones.batch import Batches

        sent = Batches(litellm, litellm_model, options, *batches)
        # What failed is owed, and asked again in a batch of the next run: a second one now may take another day.
        backbone = LiteLLMBackbone(model, litellm_model, options, attempts=1, deadline=0.0, cache=cache, batches=sent)
        if backbone.traits.priced and not sent.price_listed:
            batches[1](f"--batch: LiteLLM lists no price for batches of {litellm_model}; half its price is counted")
        return backbone
    return LiteLLMBackbone(
        model,
        litellm_model,
        options,
        acting=asked,
        deadline=limits.get("deadline", DEADLINE),
        calls_per_minute=limits.get("calls_per_minute"),
        gate=gate,
        cache=cache,
    )


def _missing_key(model: str, litellm_model: str, key_env: str | None, args: Mapping[str, str]) -> str:
    """Returns the sentence that names the key a provider needs and that is not set, "" where none is missing."""
    from paars_bench.backbones.litellm import import_litellm

    if "api_key" in args:
        return ""
    known = import_litellm().validate_environment(litellm_model, api_base=args.get("api_base"))
    missing: list[str] = [] if known["keys_in_environment"] else sorted(known["missing_keys"])
    # LiteLLM says nothing is missing for providers it has no rule for; the alias table knows their variable.
    if not missing and key_env and not os.environ.get(key_env) and "api_base" not in args:
        missing = [key_env]
    if not missing:
        return ""
    names = [str(key_env)] if key_env in missing else missing
    own = " (api_key=none for a server that asks for none)" if "api_base" in args else ""
    return (
        f"--model {model} ({litellm_model}) needs an API key: set {' or '.join(names)}, or give "
        f"--model_args api_key=…{own}"
    )


def _above_0(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"--model_args {key}={text}: needs a number above 0, such as {key}=60")
    return value
