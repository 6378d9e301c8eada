"""Keys never reach a journal, a result or a log: what a provider says is cleaned before it is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

_NAMES = re.compile(r"(KEY|TOKEN$|SECRET|PASSWORD)", re.IGNORECASE)
# Shapes of keys that providers echo, also half masked.
_SHAPES = re.compile(r"\b(?:(?:sk|pk|rk|xai|gsk|hf)[-_]|AIza)[-_A-Za-z0-9*]{8,}|\bBearer\s+\S+")
_IN_URL = re.compile(r"(?<=//)[^/@\s]+(?=@)")
_SHORTEST = 8


class Redactor:
    """Replaces every known secret in a text by ``[key]``.

    Args:
        secrets: given on the command line; those in the environment are found by their variable's name.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {v for k, v in os.environ.items() if _NAMES.search(k) and len(v) >= _SHORTEST}
        found |= {s for s in secrets if s}
        self._secrets = sorted(found, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Returns ``text`` without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return _SHAPES.sub("[key]", text)


SECRET_ARGS = (
    "api_key",
    "token",
    "password",
    "aws_secret_access_key",
    "azure_ad_token",
    "vertex_credentials",
)


def is_secret(name: str) -> bool:
    """Says whether an argument or variable of this name holds a secret."""
    return name in SECRET_ARGS or bool(_NAMES.search(name))


def public_args(args: dict[str, str]) -> dict[str, str]:
    """Returns ``--model_args`` as they may be written down, without a password inside an address either."""
    return {k: "[key]" if is_secret(k) else _IN_URL.sub("[key]", v) for k, v in args.items()}
