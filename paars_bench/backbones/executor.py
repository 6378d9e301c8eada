"""Where a model is called from: the run itself, or processes of its own (``--executor``)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from paars_bench.backbones.workers import Workers
from paars_bench.errors import UsageError

_EACH, _MOST = 32, 8  # calls in flight that keep one process busy; processes


def processes_for(executor: str, model: str, model_args: Mapping[str, str], in_flight: int | None) -> int:
    """Returns how many processes call a model at a provider; 0: the run calls it itself.

    Args:
        executor: ``auto``, ``inline``, ``process`` or ``process:N``. ``auto`` takes processes for a server of one's
            own from 32 calls in flight on, one for every 32 while there are cores; a hosted provider's limits
            come long before a core's.
        model: the name that LiteLLM knows.
        model_args: as in ``--model_args``.
        in_flight: ``--max_concurrency``; None where it was not given.

    Raises:
        UsageError: no such executor, or one that this system does not have.
    """
    asked = re.fullmatch(r"auto|inline|process(?::([1-9]\d{0,2}))?", executor)
    if asked is None:
        raise UsageError(f"--executor {executor}: valid are auto, inline, process and process:N, such as process:4")
    if executor == "inline":
        return 0
    possible = sys.platform != "win32"
    if executor != "auto":
        if not possible:
            raise UsageError(f"--executor {executor}: Windows hands no socket on to a process; use --executor inline")
        return int(asked[1] or 1)
    cores = os.cpu_count() or 1
    own_server = "api_base" in model_args and model.startswith(("openai/", "hosted_vllm/"))
    if not (possible and own_server and cores > 1 and (in_flight or 0) >= _EACH):
        return 0
    return min(cores, (in_flight or 0) // _EACH, _MOST)


def started_ahead(asked: Mapping[str, Any]) -> Workers | None:
    """Starts the processes of a run that needs some, before the run imports what it needs itself.

    Args:
        asked: fields of ``RunSpec``, checked as far as the command line does.
    """
    if asked["dry_run"] or asked["batch"] or asked["use_cache"] != "off" or "/" not in asked["model"]:
        return None
    count = processes_for(asked["executor"], asked["model"], asked["model_args"], asked["max_concurrency"])
    return Workers(count) if count else None
