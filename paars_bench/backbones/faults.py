"""What a provider's error means for one case, told by status and code: its words differ from provider to provider.

LiteLLM sorts by words where it can, and leaves the rest as one kind of error: a 403 or a 413 looks like a passing fault
there, and Retry-After lies beside the exception and not in its response.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from paars_bench.outcomes import Outcome

# No request can succeed after these, so asking on would only turn every case into a failure.
_HOPELESS = {
    401: "the provider refuses the API key",
    402: "the account has no credit left",
    403: "the API key has no permission for this",
    404: "the provider knows no such model or address",
    405: "the address is no chat endpoint, check api_base",
}
_CROWDED = frozenset({429, 503, 529})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_not_active", "billing_hard_limit_reached"})
_NO_CREDIT_WORDS = "credit balance is too low"  # Anthropic says it with status 400 and no code
_OVERFLOW = frozenset({"context_length_exceeded", "string_above_max_length", "request_too_large"})
_FILTERED = frozenset({"content_policy_violation", "content_filter", "moderation_blocked"})
_MODERATED = re.compile(r"moderation|flagged", re.IGNORECASE)  # OpenRouter answers 403 to one prompt it filters
_PREFIX = re.compile(r"^(?:litellm\.)?(?:\w+(?:Error|Timeout): )*(?:\w*(?:Exception|Error) - )?(?:litellm\.\w+: )?")
_WORDS = 500


class Fault(NamedTuple):
    """An error understood.

    Attributes:
        outcome: how the case ends, if no retry helps.
        words: what the provider said, on one line, with its secrets.
        hopeless: why no other case can succeed either; "" where one may.
        retry_after: seconds the provider asks to wait, None where it does not say.
        crowded: it takes no more calls now.
    """

    outcome: Outcome
    words: str
    hopeless: str = ""
    retry_after: float | None = None
    crowded: bool = False


def fault_of(error: Exception, exceptions: Any) -> Fault:
    """Returns what an error of a call means.

    Args:
        error: raised by LiteLLM.
        exceptions: the module ``litellm.exceptions``, which this file does not import for its 4 seconds.
    """
    status = getattr(error, "status_code", None)
    status = status if isinstance(status, int) else 0
    codes = _codes(error)
    words = _words(error)
    if isinstance(error, exceptions.ContextWindowExceededError) or codes & _OVERFLOW or status == 413:
        return Fault(Outcome.CONTEXT_OVERFLOW, words)
    filtered = isinstance(error, exceptions.ContentPolicyViolationError) or bool(codes & _FILTERED)
    if filtered or (status == 403 and _MODERATED.search(words)):
        return Fault(Outcome.REFUSED, words)
    if codes & _NO_CREDIT or _NO_CREDIT_WORDS in words:
        return Fault(Outcome.PROVIDER_ERROR, words, _HOPELESS[402])
    if status in _HOPELESS:
        return Fault(Outcome.PROVIDER_ERROR, words, _HOPELESS[status])
    if isinstance(error, exceptions.BadRequestError | exceptions.UnprocessableEntityError):
        return Fault(Outcome.ENV_ERROR, words)
    return Fault(Outcome.PROVIDER_ERROR, words, retry_after=_retry_after(error), crowded=status in _CROWDED)


def shortened(words: str) -> str:
    """Returns a provider's words at a length for a journal line; remove secrets first, a cut one is not found."""
    return words if len(words) <= _WORDS else words[: _WORDS - 1] + "…"


def _codes(error: Exception) -> set[str]:
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    found = inner if isinstance(inner, Mapping) else _object_in(_said(error))
    return {str(v) for v in (getattr(error, "code", None), found.get("code"), found.get("type")) if v is not None}


def _words(error: Exception) -> str:
    said = _PREFIX.sub("", _said(error))
    return str(_object_in(said).get("message") or said) or type(error).__name__


def _said(error: Exception) -> str:
    return " ".join(str(getattr(error, "message", None) or error).split())


def _object_in(said: str) -> Mapping[str, Any]:
    """Returns the error object that LiteLLM hands on as JSON text, an empty one where there is none."""
    try:
        inner = json.loads(said[said.index("{") :])["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return inner if isinstance(inner, Mapping) else {}


def _retry_after(error: Exception) -> float | None:
    for place in (error, getattr(error, "response", None)):
        headers = getattr(place, "litellm_response_headers", None) or getattr(place, "headers", None) or {}
        asked = _seconds(str(headers.get("retry-after") or ""))
        if asked is not None:
            return asked
    return None


def _seconds(text: str) -> float | None:
    try:
        asked = float(text)
    except ValueError:
        try:
            asked = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return None
    return asked if 0 < asked < float("inf") else None
