"""The response cache: a call that was answered once is answered again from disk, without network, key or cost.

Only a reply that ended well is kept; a failure is asked anew. What is kept is the reply as it was made, with what it
cost and how long it took then: results of a replayed run are those of the run that filled the cache.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from paars_bench.backbones.cache_key import CallKeys
from paars_bench.backbones.cache_use import CacheUse
from paars_bench.backbones.door import Completion, ToolCall, Usage
from paars_bench.backbones.kept_replies import KeptReplies, replies_file
from paars_bench.outcomes import POLICY


class ResponseCache:
    """The replies that one run takes from the cache and leaves there.

    Args:
        use: what is taken and what is left.
        say: is told once what keeps replies from being read or kept.
        path: of the file.

    Attributes:
        use: as given.
        prepare: called before a call that is not in the cache is made; raises where none can be.
        served: calls answered from the cache.
        asked: calls that were not.
    """

    def __init__(self, use: CacheUse, say: Callable[[str], None], path: Path | None = None) -> None:
        self.use = use
        self.prepare: Callable[[], None] = lambda: None
        self.served = self.asked = 0
        self._replies = KeptReplies(path or replies_file(), say, writable=use.writes)
        self._damaged = 0

    def entry(self, keys: CallKeys, body: dict[str, Any], draw: int) -> Entry:
        """Returns the place of a call, with the reply that lies there if one is to be served.

        Raises:
            PaarsError: there is none, and none can be asked for (``prepare``).
        """
        key = keys.of(body, draw)
        reply = self._reply(key) if self.use.reads else None
        if reply is None:
            self.prepare()
            self.asked += 1
        else:
            self.served += 1
        return Entry(self, key, reply)

    def put(self, key: bytes, reply: Completion) -> None:
        """Keeps a reply that ended well."""
        if not self.use.writes or not POLICY[reply.outcome].cached:
            return
        if self.use.replaces or self._reply(key) is None:
            self._replies.put(key, _written(reply))

    def close(self) -> None:
        """Writes what waits, and lets the file go."""
        self._replies.close()

    def told(self) -> list[str]:
        """Returns what a person should know at the end of a run, in sentences."""
        replies, calls = self._replies, self.served + self.asked
        said = [f"{self.served:,} of {calls:,} calls were served from the cache"] if self.use.reads else []
        if self.use.writes:
            said.append(f"{replies.kept:,} replies were kept in {replies.path}")
        if damaged := replies.damaged + self._damaged:
            said.append(f"{damaged:,} replies in the cache were damaged and asked for anew")
        if replies.lost:
            said.append(f"{replies.lost:,} replies could not be kept")
        return said

    def _reply(self, key: bytes) -> Completion | None:
        value = self._replies.get(key)
        if value is None:
            return None
        try:
            return _read(value)
        except (KeyError, TypeError, ValueError, RecursionError):  # whole, and yet not what this program writes
            self._damaged += 1
            return None


class Entry:
    """The place of one call in the cache.

    Attributes:
        reply: that lies there and is served; None where the call must be made.
    """

    __slots__ = ("_began", "_cache", "_key", "reply")

    def __init__(self, cache: ResponseCache, key: bytes, reply: Completion | None) -> None:
        self._cache, self._key, self.reply = cache, key, reply
        self._began = time.perf_counter()

    def keep(self, reply: Completion) -> Completion:
        """Keeps the reply that the call came to, where it ended well, and returns it as it would be served."""
        timed = replace(reply, seconds=time.perf_counter() - self._began)
        self._cache.put(self._key, timed)
        return timed


def _written(reply: Completion) -> bytes:
    row = {
        "text": reply.text,
        "tool_calls": [[c.id, c.name, c.arguments] for c in reply.tool_calls],
        "usage": asdict(reply.usage),
        "latency_ms": reply.latency_ms,
        "attempts": reply.attempts,
        "seconds": reply.seconds,
    }
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def _read(value: bytes) -> Completion:
    row = json.loads(value)
    calls = tuple(ToolCall(*map(_text, call)) for call in row["tool_calls"])
    return Completion(
        _text(row["text"]),
        tool_calls=calls,
        usage=Usage.of(row["usage"]),
        latency_ms=float(row["latency_ms"]),
        attempts=int(row["attempts"]),
        cached=True,
        seconds=float(row["seconds"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
