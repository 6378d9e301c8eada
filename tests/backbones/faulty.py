"""A provider in a process of its own that fails as providers do; the model's name says how. It prints its port.

``chaos``: three calls in ten fail, drawn by the prompt and how often it was asked. ``one-400``: one prompt is refused.
``no-key``: every key is wrong. ``crowded``: at most 16 calls under way, others are refused. ``GET /seen`` tells how
many calls of each model came.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections import Counter
from typing import Any

from aiohttp import web

TAKEN = 16
FAULTS = ("429", "500", "reset", "cut", "html", "empty")
seen: Counter[str] = Counter()
asked: Counter[str] = Counter()
under_way = 0


def answer(model: str, text: str, prompt: str) -> dict[str, Any]:
    """Returns a chat completion in OpenAI's format."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": len(prompt) // 4 + 1, "completion_tokens": 1, "total_tokens": len(prompt) // 4 + 2}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return {"id": "1", "object": "chat.completion", "created": 1, "model": model, "choices": choices, "usage": usage}


def refused(status: int, message: str, **headers: str) -> web.Response:
    """Returns an error object in OpenAI's format."""
    return web.json_response(
        {"error": {"message": message, "type": "error", "code": None}}, status=status, headers=headers
    )


def draw(prompt: str, number: int) -> int:
    """Returns a number below 1,000 that depends on a prompt and how often it was asked."""
    return int.from_bytes(hashlib.sha256(f"{number}{prompt}".encode()).digest()[:4], "big") % 1000


async def fail(request: web.Request, model: str, prompt: str, kind: str) -> web.StreamResponse:
    """Fails in one of the ways of FAULTS."""
    body = json.dumps(answer(model, "1", prompt)).encode()
    match kind:
        case "429":
            return refused(429, "slow down", **{"Retry-After": "1"})
        case "500":
            return refused(500, "the machine is on fire")
        case "html":
            return web.Response(text="<html>busy</html>", content_type="text/html")
        case "empty":
            return web.json_response(answer(model, "", prompt))
    assert request.transport is not None
    if kind == "cut":
        reply = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await reply.prepare(request)
        await reply.write(body[: len(body) // 2])
    request.transport.abort()
    return web.Response()


async def chat(request: web.Request) -> web.StreamResponse:
    """Answers one call."""
    global under_way
    body = await request.json()
    model, prompt = str(body["model"]), json.dumps(body["messages"])
    seen[model] += 1
    asked[prompt] += 1
    unlucky = model == "one-400" and seen[model] == 100
    text = str(1 + draw(prompt, 0) % 4)
    if model == "no-key":
        return refused(401, "Incorrect API key provided")
    if model == "crowded" and under_way >= TAKEN:
        return refused(429, "too many concurrent requests")
    under_way += 1
    try:
        await asyncio.sleep(0.05)
    finally:
        under_way -= 1
    if unlucky:
        return refused(400, "the prompt is not to my liking")
    if model == "chaos":
        drawn = draw(prompt, asked[prompt])
        if drawn < 300:
            return await fail(request, model, prompt, FAULTS[drawn % len(FAULTS)])
    return web.json_response(answer(model, text, prompt))


async def tell(_: web.Request) -> web.Response:
    """Tells how many calls came."""
    return web.json_response(dict(seen))


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listening.getsockname()[1], flush=True)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/seen", tell)
    web.run_app(app, sock=listening, print=None, access_log=None)
