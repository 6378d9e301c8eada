"""The five ways to use the response cache, as ``--use_cache`` names them."""

from __future__ import annotations

from enum import StrEnum


class CacheUse(StrEnum):
    """What a run takes from the response cache and what it leaves there."""

    OFF = "off"
    READ = "read"
    WRITE = "write"
    RW = "rw"
    REFRESH = "refresh"

    @property
    def reads(self) -> bool:
        """Replies that are kept are served."""
        return self in (CacheUse.READ, CacheUse.RW)

    @property
    def writes(self) -> bool:
        """Replies that were asked for are kept."""
        return self in (CacheUse.WRITE, CacheUse.RW, CacheUse.REFRESH)

    @property
    def replaces(self) -> bool:
        """A reply that is kept gives way to one that was asked for."""
        return self is not CacheUse.WRITE
