"""What makes two calls the same call: everything a reply may depend on, and nothing that only says how it is made."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from paars_bench.backbones.door import Traits
from paars_bench.backbones.open import NOT_ASKED
from paars_bench.backbones.redact import is_secret

_VERSION = 1
_ADDRESSES = ("api_base", "base_url")
_BY_ENVIRONMENT = ("{}_API_BASE", "{}_BASE_URL")  # as LiteLLM reads them
_OF_A_FILE = ("file_sha256", "engine")


class CallKeys:
    """Makes the keys of one backbone's calls.

    A key is a digest of provider, address, model and of all that is sent; of a model in this process also of its
    file's digest, its engine and its context. Timeouts, retries, threads and keys of providers are left out.

    Args:
        litellm: the module.
        options: sent with every call.
        traits: of the model.
    """

    def __init__(self, litellm: Any, options: Mapping[str, Any], traits: Traits) -> None:
        model = traits.litellm_model
        route, provider, _, base = litellm.get_llm_provider(
            model, api_base=options.get("api_base"), api_key=options.get("api_key")
        )
        given = next((str(options[name]) for name in _ADDRESSES if options.get(name)), None)
        address = given or base or litellm.api_base
        places = [address] if address else _from_environment(provider)
        file = {name: traits.details[name] for name in _OF_A_FILE if name in traits.details}
        context = traits.context_tokens if file else None
        self._who = [_VERSION, provider, route, [_open_parts(p) for p in places], file, context]
        self._left_out = {*NOT_ASKED, *_ADDRESSES, "model", "api_key", *(name for name in options if is_secret(name))}

    def of(self, body: Mapping[str, Any], draw: int) -> bytes:
        """Returns the key of a call.

        Args:
            body: what LiteLLM is called with.
            draw: tells calls apart that ask the same (``Request.draw``).
        """
        sent = {name: value for name, value in body.items() if name not in self._left_out}
        text = json.dumps([self._who, draw, sent], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()


def _from_environment(provider: str) -> list[str]:
    names = (name.format(provider.upper()) for name in _BY_ENVIRONMENT)
    return [os.environ[name] for name in names if os.environ.get(name)]


def _open_parts(address: str) -> list[Any]:
    """Returns an address without user, password and what its query calls a key."""
    try:
        parts = urlsplit(address)
    except ValueError:  # no address: the first call will say so
        return [address]
    host = parts.netloc.rpartition("@")[2]
    query = [[name, value] for name, value in parse_qsl(parts.query) if not is_secret(name)]
    return [parts.scheme, host, parts.path.rstrip("/"), query]
