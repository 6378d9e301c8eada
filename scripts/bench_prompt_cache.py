"""How much of what a run sends lies in a prefix that was sent before, and what a provider's cache makes of it.

    python scripts/bench_prompt_cache.py                                    # all tasks of 24 shoppers: three minutes
    python scripts/bench_prompt_cache.py --provider openai --conditions profile,preferences,history,persona

`paars-bench run` in a process of its own asks a server on loopback. The server keeps the prompts as a provider
serialises them (tools, reply schema, system, messages) and models the cache, in tokens of four characters. An entry can
be read once the reply of the call that wrote it was sent.

`openai`      caches by itself, in blocks of 128 tokens (models before GPT-5.6); writing costs nothing more
`breakpoints` caches what is marked, on OpenAI's models from GPT-5.6 on, and the end of a prompt unless told otherwise
`anthropic`   caches what is marked; a changed `tool_choice` spoils the messages, a changed schema everything

Shares of the input: `before` begins the call before of the same shopper too, character by character; `earlier` any call
before; `read` is what the modelled cache reads, `best` what it would if an entry could be read as soon as its call came
in. The peer is the same run at a provider without a cache: `price` is that of the input over it (reading 0.1, writing
1.25 where it costs). Ends with 1 where `before` is under 80 %.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

CHARS, BLOCK, LOOKBACK = 4, 128, 20
TARGET = 0.8
MINING = 4  # times as long as another reply: a hundred words against one or a tool call
MODELS = {"openai": "openai/gpt-4o", "breakpoints": "openai/gpt-5.6", "anthropic": "anthropic/claude-sonnet-4-5"}
READ, WRITE = 0.1, {"openai": 1.0, "breakpoints": 1.25, "anthropic": 1.25}
_HISTORY = re.compile(r"<history>\n(.*?)\n</history>", re.DOTALL)
_DECIDES = re.compile(r"What brought you here: .*|Done so far:[\s\S]*")  # whatever else a prompt says
_HOME = re.compile(r"home ([0-9a-f]{12})")
PROFILE = dict.fromkeys(("age_range", "marital_status", "income", "lifestyle"), "a word or two")
PREFERENCES = dict.fromkeys(
    ("price_sensitivity", "value_perception", "review_reliance", "brand_reputation", "decision_style"), "medium"
)


class Part(NamedTuple):
    """A block of a prompt: its text, whether it is marked, and where it stands."""

    text: str
    marked: bool
    place: str


class Served(NamedTuple):
    """Tokens of a prompt: all, read from the cache, written to it."""

    input: int
    read: int
    written: int


def parts_of(body: dict[str, Any]) -> list[Part]:
    """Returns a prompt in the order in which a provider reads it."""
    system = body.get("system", [])
    messages = [{"role": "system", "content": system}] if system else []
    messages += body["messages"]
    parts = [_part(tool, "tools") for tool in body.get("tools", [])]
    schema = body.get("response_format") or body.get("output_format") or body.get("output_config")
    parts += [Part(json.dumps(schema), False, "schema")] if schema else []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        parts += [_part(block, message["role"]) for block in blocks]
    return parts


def _part(block: dict[str, Any], place: str) -> Part:
    marked = any(key in block for key in ("cache_control", "prompt_cache_breakpoint"))
    bare = {k: v for k, v in block.items() if k not in ("cache_control", "prompt_cache_breakpoint")}
    return Part(bare.get("text") or json.dumps(bare), marked, place)


def shopper_of(text: str) -> str:
    """Returns a mark of whose prompt it is: of the history, or what mining made of it."""
    home = _HOME.search(text)
    if home:
        return home[1]
    history = _HISTORY.search(text)
    return _digest(history[1])[:12] if history else "nobody"


def _alike(one: str, two: str) -> int:
    """Returns how many characters two texts begin alike with."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one.startswith(two[:middle]) else (low, middle - 1)
    return low


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """A provider's cache, with entries that can be read from the time their call was answered."""

    def __init__(self, provider: str, least: int) -> None:
        self._provider, self._least = provider, least
        self._known: set[str] = set()

    def ask(self, body: dict[str, Any], parts: list[Part]) -> tuple[Served, list[str]]:
        """Returns what a call reads and writes, and the entries that its reply makes readable."""
        total = sum(len(p.text) for p in parts) // CHARS
        if self._provider == "openai":
            text = "".join(p.text for p in parts)
            ends = range(BLOCK * CHARS, len(text) + 1, BLOCK * CHARS)
            entries = {_digest(text[:end]): end // CHARS for end in ends if end // CHARS >= self._least}
            read = max((size for key, size in entries.items() if key in self._known), default=0)
            return Served(total, read, 0), list(entries)
        prefixes = list(self._prefixes(body, parts))
        marked = [n for n, part in enumerate(parts) if part.marked]
        if self._provider == "breakpoints" and body.get("prompt_cache_options", {}).get("mode") != "explicit":
            marked.append(len(parts) - 1)
        seen = marked if self._provider == "breakpoints" else _looked_back(marked)
        read = max((prefixes[n][1] for n in seen if prefixes[n][0] in self._known), default=0)
        new = [prefixes[n] for n in marked if prefixes[n][1] >= self._least]
        written = max((size for _, size in new), default=0)
        return Served(total, read, max(0, written - read)), [key for key, _ in new]

    def add(self, entries: list[str]) -> None:
        """Makes entries readable."""
        self._known.update(entries)

    def _prefixes(self, body: dict[str, Any], parts: list[Part]) -> Iterator[tuple[str, int]]:
        sizes = accumulate(len(part.text) for part in parts)
        schema = "".join(p.text for p in parts if p.place == "schema")
        chosen = json.dumps(body.get("tool_choice")) if self._provider == "anthropic" else ""
        chain = _digest(schema) if self._provider == "anthropic" else ""
        for part, size in zip(parts, sizes, strict=True):
            spoilt = chosen if part.place not in ("tools", "schema", "system") else ""
            chain = _digest(chain + spoilt + part.text)
            yield chain, size // CHARS


def _looked_back(marked: list[int]) -> list[int]:
    return sorted({n for mark in marked for n in range(max(0, mark - LOOKBACK), mark + 1)})


@dataclass
class Counts:
    """What the server saw."""

    calls: int = 0
    chars: int = 0
    before: int = 0
    earlier: int = 0
    input: int = 0
    read: int = 0
    best: int = 0
    written: int = 0

    def price(self, write: float) -> float:
        """Returns the price of the input over its price without a cache."""
        plain = self.input - self.read - self.written
        return (plain + READ * self.read + write * self.written) / max(self.input, 1)


class Server:
    """Answers mining, tasks and sessions in either format, after a while."""

    def __init__(self, provider: str, *, latency: float, least: int) -> None:
        self._provider, self._latency = provider, latency
        self._cache, self._best = Cache(provider, least), Cache(provider, least)
        self._last: dict[str, dict[str, str]] = {}
        self.by_kind: dict[str, Counts] = {}

    async def reply(self, request: web.Request) -> web.Response:
        """Answers one call."""
        body = await request.json()
        parts = parts_of(body)
        text = "".join(p.text for p in parts)
        said = "".join(p.text for p in parts if p.place == "user")
        kind = "session" if body.get("tools") else "mining" if "JSON keys: reasoning" in said else "one call"
        shopper = shopper_of(text)
        served, entries = self._cache.ask(body, parts)
        best, at_once = self._best.ask(body, parts)
        self._best.add(at_once)
        self._count(kind, text, self._last.setdefault(shopper, {}), served, best.read)
        draw = random.Random(_digest(shopper + ("".join(_DECIDES.findall(said)) or said)))
        longer = MINING if kind == "mining" else 1
        await asyncio.sleep(self._latency * longer * draw.uniform(0.6, 1.6))
        self._cache.add(entries)
        answer, call = _answer(kind, said, shopper, body, draw)
        return web.json_response((_claude if request.path.endswith("/messages") else _chat)(answer, call, served))

    def _count(self, kind: str, text: str, last: dict[str, str], served: Served, best: int) -> None:
        shared = [_alike(earlier, text) for earlier in last.values()] or [0]
        last.pop(text[:500], None)  # the latest stands last; one of each beginning is kept
        last[text[:500]] = text
        for counts in (self.by_kind.setdefault(k, Counts()) for k in (kind, "all")):
            counts.calls += 1
            counts.chars += len(text)
            counts.before += shared[-1]
            counts.earlier += max(shared)
            counts.best += best
            counts.input += served.input
            counts.read += served.read
            counts.written += served.written


Call = tuple[str, dict[str, Any]] | None


def _answer(kind: str, said: str, shopper: str, body: dict[str, Any], draw: random.Random) -> tuple[str, Call]:
    """Returns the words of a reply and the tool it calls."""
    if kind == "mining":
        first = "consumer profile of the same" not in said
        persona = {**PROFILE, "household": f"home {shopper}", "interests": ["tea"]} if first else PREFERENCES
        words = {"reasoning": "Many purchases of one kind, mostly in the evening, and rarely the cheapest. " * 3}
        return json.dumps(words | persona | ({} if first else {"favourite_categories": ["tea"]})), None
    if kind == "one call":
        return str(draw.randint(1, 4)), None
    choice = body["tool_choice"]
    if isinstance(choice, dict) and (choice.get("name") or "function" in choice):
        return "", ("stay_or_leave", {"decision": draw.choices(["stay", "leave"], [0.85, 0.15])[0]})
    page = said.rsplit("The page you see:", 1)[1]
    can = re.search(r"Possible now: (.*)", page)
    possible = can[1] if can else "search"
    shown = re.findall(r"\[(P\d+)\]", page)
    if shown and "view" in possible and draw.random() < 0.6:
        return "", ("view", {"product": draw.choice(shown)})
    for verb, chance in (("buy", 0.5), ("cart_add", 0.3), ("next_page", 0.3), ("back", 0.5)):
        if verb in possible and draw.random() < chance:
            return "", (verb, {"product": shown[0]} if verb == "cart_add" and shown else {})
    return "", ("search", {"query": draw.choice(["tea", "towel", "lamp", "running shoes", "usb cable"])})


def _chat(text: str, call: Call, served: Served) -> dict[str, Any]:
    made = call and {"id": "c", "type": "function", "function": {"name": call[0], "arguments": json.dumps(call[1])}}
    message = {"role": "assistant", "content": text or None} | ({"tool_calls": [made]} if made else {})
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "mock",
        "choices": [{"index": 0, "finish_reason": "tool_calls" if call else "stop", "message": message}],
        "usage": {
            "prompt_tokens": served.input,
            "completion_tokens": 20,
            "total_tokens": served.input + 20,
            "prompt_tokens_details": {"cached_tokens": served.read, "cache_write_tokens": served.written},
        },
    }


def _claude(text: str, call: Call, served: Served) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    blocks += [{"type": "tool_use", "id": "toolu_1", "name": call[0], "input": call[1]}] if call else []
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": blocks,
        "stop_reason": "tool_use" if call else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": served.input - served.read - served.written,
            "cache_read_input_tokens": served.read,
            "cache_creation_input_tokens": served.written,
            "output_tokens": 20,
        },
    }


async def measure(given: argparse.Namespace, words: list[str], folder: Path) -> Server:
    """Runs the benchmark against a server of its own and returns what that saw."""
    server = Server(given.provider, latency=given.latency, least=given.least)
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/{path:.*}", server.reply)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    base = f"http://127.0.0.1:{port}" + ("" if given.provider == "anthropic" else "/v1")
    words = [*words, "--model", MODELS[given.provider], "--model_args", f"api_base={base},api_key=sk-mock"]
    words += ["--dataset", given.dataset, "--conditions", given.conditions, "--tasks", given.tasks]
    words += ["--max_concurrency", str(given.concurrency), "--output_path", str(folder / "run")]
    words += ["--limit", str(given.limit)] if given.limit else []
    child = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL)
    code = await child.wait()
    await runner.cleanup()
    if code not in (0, 2):
        raise SystemExit(f"the run ended with {code}")
    return server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", choices=MODELS, default="anthropic")
    parser.add_argument("--dataset", default="demo:shoppers=24")
    parser.add_argument("--conditions", default="persona")
    parser.add_argument("--tasks", default="all")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.4, help="seconds of a reply, about")
    parser.add_argument("--least", type=int, default=1024, help="tokens that a cached prefix has at least")
    given = parser.parse_args()
    command = [sys.executable, "-m", "paars_bench.cli"]
    with tempfile.TemporaryDirectory() as folder:
        server = asyncio.run(measure(given, command, Path(folder)))
        results = json.loads((Path(folder) / "run" / "results.json").read_text())
    print(f"{given.provider}, {given.dataset}, {given.conditions}, {given.concurrency} in flight")
    heads = ("before", "earlier", "read", "best", "written", "price")
    print(f"{'':10}{'calls':>8}{'tokens':>12}" + "".join(f"{head:>9}" for head in heads))
    for kind, seen in sorted(server.by_kind.items()):
        text = (seen.before / seen.chars, seen.earlier / seen.chars)
        shares = (*text, *(part / seen.input for part in (seen.read, seen.best, seen.written)))
        print(
            f"{kind:10}{seen.calls:>8,}{seen.input:>12,}"
            + "".join(f"{share:>9.1%}" for share in shares)
            + f"{seen.price(WRITE[given.provider]):>9.3f}"
        )
    told = results["usage"]["by_role"]
    print("in results.json:", {role: {k: told[role][k] for k in ("input", "cached")} for role in told})
    print(f"the run took {results['run']['seconds']:.0f} s")
    seen = server.by_kind["all"]
    return 0 if seen.before >= TARGET * seen.chars else 1


if __name__ == "__main__":
    sys.exit(main())
