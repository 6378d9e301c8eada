"""Every random choice follows from the run's seed and a name: the same on every machine, in every order of work."""

from __future__ import annotations

import hashlib


def derive(seed: int, *names: str | int) -> int:
    """Returns a 31-bit seed for what ``names`` name; Python's ``hash`` differs from process to process."""
    text = "\x1f".join(str(n) for n in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
