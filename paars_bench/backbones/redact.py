"""Keys never reach a journal, a result or a log: what a provider or a model says is cleaned before it is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

_NAMES = re.compile(r"(KEY|TOKEN$|SECRET|PASSWORD)", re.IGNORECASE)
_ARGUMENTS = re.compile(
    r"(KEY|TOKEN$|SECRET|PASSW|AUTHORI[SZ]ATION|(?:^|_)AUTH$|CREDENTIAL|HEADERS$|BEARER|COOKIE|SIGNATURE)",
    re.IGNORECASE,
)
# Shapes of keys that providers echo, also half masked.
_SHAPES = re.compile(r"\b(?:(?:sk|pk|rk|xai|gsk|hf)[-_]|AIza)[-_A-Za-z0-9*]{8,}|\bBearer\s+\S+")
_USER_IN_URL = re.compile(r"(?<=//)([^/@\s]+)(?=@)")
_QUERY_IN_URL = re.compile(r"(?<=[?&;])([^=&;#\s]+)=([^&;#\s]*)")
_OPEN_IN_QUERY = frozenset({"api-version", "api_version", "version"})
_SHORTEST = 8


class Redactor:
    """Replaces every known secret in a text by ``[key]``.

    A secret under 8 characters is left alone: it is a placeholder such as ``none``, for servers that ask for no key,
    and would take words out of every sentence.

    Args:
        secrets: given on the command line; those in the environment are found by their variable's name.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {v for k, v in os.environ.items() if _NAMES.search(k)} | set(secrets)
        self._secrets = sorted((s for s in found if len(s) >= _SHORTEST), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Returns ``text`` without secrets, and without what only looks like one."""
        return _SHAPES.sub("[key]", self.known(text))

    def known(self, text: str) -> str:
        """Returns ``text`` without known secrets: for a model's reply, in which ``sk-…`` may be a product."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text


SECRET_ARGS = (
    "api_key",
    "token",
    "password",
    "aws_secret_access_key",
    "azure_ad_token",
    "vertex_credentials",
    "authorization",
    "extra_headers",
)


def is_secret(name: str) -> bool:
    """Says whether an argument of this name holds a secret."""
    return name in SECRET_ARGS or bool(_ARGUMENTS.search(name))


def secrets_of(args: Mapping[str, str]) -> Iterator[str]:
    """Yields every secret in ``--model_args``: arguments that are one, and those inside an address."""
    for name, value in args.items():
        if is_secret(name):
            yield value
            yield value.removeprefix("Bearer ")
            continue
        for user in _USER_IN_URL.findall(value):
            yield from (user, *user.split(":"))
        for key, inner in _QUERY_IN_URL.findall(value) if "//" in value else ():
            if key.lower() not in _OPEN_IN_QUERY:
                yield from (inner, unquote(inner))


def public_args(args: Mapping[str, str]) -> dict[str, str]:
    """Returns ``--model_args`` as they may be written down: no secret, and none inside an address either.

    Of the query of an address every value is hidden, except that of a version: providers take keys there by many names.
    """
    return {k: "[key]" if is_secret(k) else _public(v) for k, v in args.items()}


def _public(value: str) -> str:
    if "//" not in value:
        return value
    value = _USER_IN_URL.sub("[key]", value)
    return _QUERY_IN_URL.sub(lambda m: m[0] if m[1].lower() in _OPEN_IN_QUERY else f"{m[1]}=[key]", value)
