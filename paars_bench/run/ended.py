"""How asking ended, over every process that worked on a run: the last one adds to what the earlier ones wrote."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from paars_bench.backbones.door import Backbone
from paars_bench.files import read_strict_json
from paars_bench.run.account import Account
from paars_bench.run.directory import RESULTS


class Ended(NamedTuple):
    """How asking ended: seconds of every process, why it stopped early, and parameters the provider did not take."""

    seconds: float
    stop: str | None
    not_sent: Mapping[str, str]


def ended_before(path: Path) -> Ended:
    """Returns what earlier processes wrote into ``results.json`` of a run; what is damaged counts as nothing."""
    before = _results_on_disk(path)
    run, model = _mapping(before.get("run")), _mapping(before.get("model"))
    seconds, stop = run.get("seconds"), run.get("stop")
    return Ended(
        float(seconds) if isinstance(seconds, int | float) and seconds > 0 and seconds is not True else 0.0,
        stop if isinstance(stop, str) else None,
        _mapping(model.get("not_sent")),
    )


def ended_now(path: Path, account: Account, backbone: Backbone) -> Ended:
    """Returns the same with this process added."""
    before = ended_before(path)
    seconds = before.seconds + time.monotonic() - account.started
    return Ended(seconds, account.stop and str(account.stop), {**before.not_sent, **backbone.not_sent})


def _results_on_disk(path: Path) -> Mapping[str, Any]:
    try:
        return _mapping(read_strict_json(path / RESULTS))
    except (OSError, ValueError):
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
