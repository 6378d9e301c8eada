"""What the response cache costs a call, beside diskcache: one lookup, and keeping one reply, in microseconds.

    python scripts/bench_cache.py                   # 20,000 calls with prompts of 4 kB: under a minute
    pip install diskcache                           # for the peer; without it, it is left out, and that is said

A lookup is everything from the call's arguments to the reply: key, reading, checksum, decoding. The peer gets the same
keys and values and stores them as they are. Then one bit is turned in the file of each, and every value is read again.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from paars_bench.backbones.cache_key import CallKeys
from paars_bench.backbones.cache_use import CacheUse
from paars_bench.backbones.door import Completion, Traits, Usage
from paars_bench.backbones.kept_replies import KeptReplies
from paars_bench.backbones.litellm import import_litellm
from paars_bench.backbones.response_cache import ResponseCache
from paars_bench.store import tool_schemas

TARGET = 100.0  # microseconds of a lookup
WORDS = "blue mug with a handle of bamboo "


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=4096, help="of a prompt")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = _ours(Path(folder) / "ours", given.calls, given.bytes)
        _peer(Path(folder) / "peer", given.calls)
    return int(found > TARGET)


def _ours(folder: Path, calls: int, size: int) -> float:
    traits = Traits("test", "openai/test", False, 32_000, True, True)
    keys = CallKeys(import_litellm(), {"api_base": "http://localhost:8000/v1"}, traits)
    prompt = (WORDS * (size // len(WORDS) + 1))[:size]
    tools = tool_schemas(leaving=True)

    def body(n: int, *, acts: bool) -> dict[str, Any]:
        messages = [{"role": "system", "content": "You shop."}, {"role": "user", "content": f"{n} {prompt}"}]
        sent = {"model": "openai/test", "messages": messages, "temperature": 0, "max_tokens": 32, "seed": n}
        return {**sent, "tools": tools, "tool_choice": "required"} if acts else sent

    file = folder / "replies.sqlite"
    reply = Completion(WORDS, usage=Usage(1100, 1000, 30, 0, 0.001), latency_ms=812.25)
    cache = ResponseCache(CacheUse.RW, print, file)
    entries = [cache.entry(keys, body(n, acts=False), n) for n in range(calls)]
    _say("keep a reply", _timed(lambda entry: entry.keep(reply), entries))
    bodies = [body(n, acts=False) for n in range(calls)]
    found = _timed(lambda n: cache.entry(keys, bodies[n], n), range(calls))
    assert cache.served == calls
    _say(f"look up a prompt of {size:,} bytes", found)
    acting = [body(n, acts=True) for n in range(min(calls, 2000))]
    _say("look up a call that is not there, with the store's tools", _timed(lambda b: cache.entry(keys, b, -1), acting))
    cache.close()
    print(f"  {file.stat().st_size / calls:.0f} bytes a reply")
    _turn_a_bit(file)
    kept = KeptReplies(file, print, writable=False)
    wrong = sum(kept.get(keys.of(bodies[n], n)) is None for n in range(calls))
    print(f"  a bit turned: {kept.damaged} found and {wrong} not served")
    kept.close()
    return _middle(found)


def _peer(folder: Path, calls: int) -> None:
    try:
        import diskcache
    except ImportError:
        print("diskcache is not installed: left out")
        return
    print(f"diskcache {diskcache.__version__}")
    value = (WORDS * 8).encode()
    names = [str(n).zfill(64).encode() for n in range(calls)]
    cache = diskcache.Cache(str(folder))
    _say("keep a value", _timed(lambda name: cache.set(name, value), names))
    _say("look up a value, its key given", _timed(cache.get, names))
    cache.close()
    _turn_a_bit(folder / "cache.db")
    cache = diskcache.Cache(str(folder))
    print(f"  a bit turned: {sum(cache.get(name) != value for name in names)} served changed, without a word")
    cache.close()
    shutil.rmtree(folder)


def _turn_a_bit(file: Path) -> None:
    held = bytearray(file.read_bytes())
    held[held.index(b"bamboo")] ^= 1
    file.write_bytes(held)


def _timed(act: Callable[[Any], Any], every: Sequence[Any]) -> list[float]:
    seconds = []
    for one in every:
        began = time.perf_counter()
        act(one)
        seconds.append(time.perf_counter() - began)
    return sorted(s * 1e6 for s in seconds)


def _middle(times: Sequence[float]) -> float:
    return times[len(times) // 2]


def _say(what: str, times: Sequence[float]) -> None:
    mean, late = sum(times) / len(times), times[int(len(times) * 0.99)]
    print(f"  {what}: p50 {_middle(times):.0f} µs, p99 {late:.0f}, mean {mean:.0f}, worst {times[-1]:.0f}")


if __name__ == "__main__":
    raise SystemExit(main())
