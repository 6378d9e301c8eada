"""Where things lie on this machine: the cache, and the built-in task YAML of a wheel or of a checkout."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def cache_dir() -> Path:
    """Returns the folder for models, their replies and built data sets; it may not exist yet.

    ``PAARS_BENCH_CACHE`` names another one than the user's cache folder of the platform.
    """
    chosen = os.environ.get("PAARS_BENCH_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs  # only here: `ls` needs the tasks' folder alone

    return Path(platformdirs.user_cache_dir("paars_bench", appauthor=False))


def task_configs_dir() -> Path:
    """Returns the folder of the built-in tasks: inside an installed package, else the checkout's own."""
    packaged = _PACKAGE / "task_configs"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "task_configs"
