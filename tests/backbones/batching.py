"""A provider on loopback with OpenAI's /files and /batches beside chat; what it answers is told by the prompt.

Run as a program it prints its port; ``GET /seen`` gives what it was asked.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Line = dict[str, Any]


class BatchingProvider:
    """Takes batches and ends each after so many looks at it.

    Attributes:
        seen: how often each kind of call was made.
        files: by name, as they were sent or are fetched.
        batches: by name, in OpenAI's form.
        looks: how often a batch is looked at before it has ended; None: it goes on for ever.
        ends: how batches end.
        spoilt: what becomes of the request of that number in its batch: an HTTP error, ``missing`` or ``torn``.
        pending: so many looks at a file find it not ready for a batch.
        refuses: HTTP status of every call.
        flaky: so many looks are answered 503.
        unheard: so many batches are begun without the caller hearing of it (HTTP 500).
    """

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Line] = {}
        self.paths: list[str] = []
        self.looks: int | None = 1
        self.ends = "completed"
        self.spoilt: Mapping[int, int | str] = {}
        self.unheard = self.pending = self.flaky = 0
        self.refuses: int | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        self._server.serve_forever(0.02)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def requests(self, batch: str) -> list[Line]:
        return [json.loads(line) for line in self.files[self.batches[batch]["input_file_id"]].splitlines()]

    def answer(self, method: str, path: str, content: bytes, kind: str) -> tuple[int, bytes]:
        with self._lock:
            self.paths.append(path)
            path = re.sub(r"^.*?/(?=files|batches|chat|seen|looks)", "", path.partition("?")[0])
            place, _, name = path.partition("/")
            self.seen[f"{method} {place}"] += 1
            if self.refuses is not None:
                return self.refuses, _json({"error": {"message": "no", "type": "x"}})
            if method == "GET" and self.flaky > 0:
                self.flaky -= 1
                return 503, _json({"error": {"message": "busy", "type": "x"}})
            if place == "seen":
                keys = [row["custom_id"] for b in self.batches for row in self.requests(b)]
                return 200, _json({**self.seen, "batches": len(self.batches), "keys": keys})
            if place == "looks":
                self.looks = int(name)
                return 200, b"{}"
            if place == "chat":
                return 200, _json(reply_to(json.loads(content)))
            if place == "files":
                return self._file(method, name, content, kind)
            if method == "POST":
                return self._begin(json.loads(content))
            if not name:
                return 200, _json({"object": "list", "data": list(self.batches.values()), "has_more": False})
            if name not in self.batches:
                return 404, _json({"error": {"message": f"No batch found with id '{name}'.", "type": "x"}})
            return 200, _json(self._look(name))

    def _file(self, method: str, name: str, content: bytes, kind: str) -> tuple[int, bytes]:
        if name.endswith("/content"):
            return 200, self.files[name.removesuffix("/content")]
        if name:
            self.pending -= 1
            return 200, self._as_file(name)
        whole = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
        parts = {p.get_param("name", header="content-disposition"): p for p in whole.iter_parts()}
        name = f"file-{len(self.files)}"
        self.files[name] = parts["file"].get_payload(decode=True)
        return 200, self._as_file(name)

    def _as_file(self, name: str) -> bytes:
        status = "pending" if self.pending > 0 else "processed"
        kept = {"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch"}
        return _json({**kept, "status": status})

    def _begin(self, asked: Line) -> tuple[int, bytes]:
        if self.pending > 0:
            return 400, _json({"error": {"message": "The file is not processed yet.", "type": "x"}})
        name = f"batch_{len(self.batches)}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": asked["endpoint"],
            "input_file_id": asked["input_file_id"],
            "completion_window": asked["completion_window"],
            "status": "in_progress",
            "created_at": 1,
            "looks": 0,
        }
        if self.unheard:
            self.unheard -= 1
            return 500, _json({"error": {"message": "it broke", "type": "server_error"}})
        return 200, _json(self.batches[name])

    def _look(self, name: str) -> Line:
        batch = self.batches[name]
        total = len(self.requests(name))
        if batch["status"] == "in_progress":
            batch["looks"] += 1
            batch["request_counts"] = {"total": total, "completed": min(batch["looks"], total), "failed": 0}
            if self.looks is not None and batch["looks"] > self.looks:
                self._end(name, batch)
        return batch

    def _end(self, name: str, batch: Line) -> None:
        batch["status"] = self.ends
        if self.ends == "failed":
            words = "Enqueued token limit reached for gpt-4o-mini. Limit: 90,000 enqueued tokens."
            batch["errors"] = {"object": "list", "data": [{"code": "token_limit_exceeded", "message": words}]}
            return
        good: list[bytes] = []
        bad: list[bytes] = []
        for number, row in enumerate(self.requests(name)):
            spoilt = self.spoilt.get(number)
            line: Line = {"id": f"r{number}", "custom_id": row["custom_id"], "response": None, "error": None}
            if spoilt == "torn":
                good.append(b'{"id": "r1", "custom_')
            elif spoilt == "expired":
                line["error"] = {"code": "batch_expired", "message": "This request could not be executed in time."}
                bad.append(_json(line))
            elif isinstance(spoilt, int):
                error = {"message": f"refused with {spoilt}", "type": "x", "code": None}
                line["response"] = {"status_code": spoilt, "request_id": "q", "body": {"error": error}}
                bad.append(_json(line))
            elif spoilt is None:
                line["response"] = {"status_code": 200, "request_id": "q", "body": reply_to(row["body"])}
                good.append(_json(line))
        good.reverse()  # a provider keeps no order
        for key, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                batch[key] = f"{name}-{key}"
                self.files[batch[key]] = b"\n".join(lines) + b"\n"


def reply_to(body: Line) -> Line:
    """A chat completion that depends on what was asked and on nothing else."""
    prompt = json.dumps(body["messages"])
    number = zlib.crc32(prompt.encode())
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    options = re.findall(r"^(\d+)\. ", body["messages"][-1]["content"], re.MULTILINE)
    if schema is not None and "reasoning" in schema["properties"]:
        text = json.dumps({k: _value(v, number) for k, v in schema["properties"].items()})
    else:
        text = options[number % len(options)] if options else f"blue mug {number % 50}"
    usage = {"prompt_tokens": 100 + number % 50, "completion_tokens": 3}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }


def _value(schema: Line, number: int) -> Any:
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    return [f"tea {number}"] if schema["type"] == "array" else f"word {number}"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _handler(provider: BatchingProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", "0")))
            status, body = provider.answer(self.command, self.path, content, self.headers.get("content-type", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing: a test's output is not a server log."""

    return Handler


if __name__ == "__main__":
    served = BatchingProvider()
    served.looks = None
    sys.stdout.write(served.url + "\n")
    sys.stdout.flush()
    served.serve()
