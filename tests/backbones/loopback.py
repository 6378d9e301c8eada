"""A provider on loopback, scripted reply by reply: what it was sent is kept, what it answers is one value."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal


@dataclass(frozen=True)
class Answer:
    """One HTTP reply; ``fault`` resets the connection, cuts the body or lets the caller wait a second."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Literal["reset", "cut", "hang"] | None = None

    def bytes(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One HTTP request as it arrived, the names of its headers in small letters."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class Provider:
    """Answers with the scripted replies in order, then with the last one again; a reply may be made of the request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._script: list[Answer | Callable[[Asked], Answer]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                body = json.loads(self.rfile.read(length) or b"{}")
                answer = provider._next(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                provider._send(self, answer)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing: a test's output is not a server log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def script(self, *answers: Answer | Callable[[Asked], Answer]) -> None:
        self._script = list(answers)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            return answer if isinstance(answer, Answer) else answer(asked)

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        handler.close_connection = True
        if answer.fault == "hang":
            self._closing.wait(1.0)
        if answer.fault == "reset":
            # Without lingering, closing sends a reset and not an orderly end.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            return
        body = answer.bytes()
        handler.send_response(answer.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **answer.headers}
        for name, value in headers.items():
            handler.send_header(name, value)
        with contextlib.suppress(ConnectionError):  # the caller may have gone
            handler.end_headers()
            handler.wfile.write(body[: len(body) // 2] if answer.fault == "cut" else body)


def chat(
    content: str | None = "blue mug",
    *,
    finish: str = "stop",
    tool_calls: Iterable[tuple[str, str]] = (),
    usage: tuple[int, int] | None = (11, 3),
    model: str = "test",
    details: Mapping[str, Any] | None = None,
    **message: Any,
) -> Answer:
    """A chat completion in OpenAI's format."""
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(tool_calls)
    ]
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **message}
                | ({"tool_calls": calls} if calls else {}),
            }
        ],
    }
    if usage is not None:
        total = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        body["usage"] = total | dict(details or {})
    return Answer(body)


def failure(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    """An error object in OpenAI's format; ``retry_after="1"`` becomes the header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer({"error": {"message": message, "type": "error", "code": code}}, status, named)
