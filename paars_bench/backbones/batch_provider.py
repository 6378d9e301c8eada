"""A provider's batches through LiteLLM: a file is sent, a batch of it begun, looked at, and its replies fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

BATCH_PATHS = {"openai": "/v1/chat/completions", "azure": "/chat/completions"}
"""Providers whose batches LiteLLM begins, finds, reads and ends in one form, and what each calls a chat request."""
_CONNECTION = frozenset(
    {"api_key", "api_version", "organization", "timeout", "extra_headers", "azure_ad_token", "tenant_id", "client_id"}
    | {"client_secret", "azure_username", "azure_password", "azure_scope"}
)
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_RECENT = 100  # batches looked through for one whose beginning was not heard of
_HTTP = range(200, 600)


class Reply(NamedTuple):
    """What a provider answered to one request of a batch, as it would have answered by HTTP."""

    status: int
    body: Mapping[str, Any]

    @property
    def good(self) -> bool:
        """Whether it is a reply and no error."""
        return self.status < 300 and bool(self.body.get("choices"))


class Look(NamedTuple):
    """How a batch stands.

    Attributes:
        status: in the provider's word.
        done: requests that ended, well or not.
        words: what the provider says went wrong; "" if nothing.
        files: where the replies and the errors lie.
    """

    status: str
    done: int = 0
    words: str = ""
    files: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether no more replies will come; a batch may be completed a moment before its files are there."""
        return self.status in _ENDED and (self.status != "completed" or bool(self.files))


class File(NamedTuple):
    """A file that was sent, and whether a batch can be begun of it."""

    name: str
    ready: bool


class Fetched(NamedTuple):
    """The replies of a batch by the key of their request, and how many lines could not be read."""

    replies: dict[str, Reply]
    damaged: int


class BatchProvider:
    """One account at a provider.

    Args:
        litellm: the module, which this file does not import for its 4 seconds.
        provider: a name of ``BATCH_PATHS``.
        options: of ``--model_args``.
    """

    def __init__(self, litellm: Any, provider: str, options: Mapping[str, Any]) -> None:
        self._litellm, self._path = litellm, BATCH_PATHS[provider]
        self._options = {k: v for k, v in options.items() if k in _CONNECTION} | {"custom_llm_provider": provider}
        address = options.get("api_base") or options.get("base_url")
        if address:
            self._options["api_base"] = address

    def line(self, key: str, body: bytes) -> bytes:
        """Returns the line of a batch's file that makes one request.

        Args:
            key: comes back with the reply.
            body: of the request, JSON.
        """
        head = {"custom_id": key, "method": "POST", "url": self._path}
        return json.dumps(head).encode()[:-1] + b', "body": ' + body.replace(b"\n", b" ") + b"}\n"

    async def upload(self, content: bytes) -> File:
        """Sends the file of a batch."""
        sent = await self._litellm.acreate_file(
            file=("requests.jsonl", content, "application/jsonl"), purpose="batch", **self._options
        )
        return File(str(sent.id), sent.status != "pending")

    async def is_ready(self, file: str) -> bool:
        """Says whether a batch can be begun of a file; Azure looks through it first."""
        found = await self._litellm.afile_retrieve(file_id=file, **self._options)
        return bool(found.status != "pending")

    async def begin(self, file: str) -> str:
        """Begins a batch of a file and returns its name; tried once, since two calls would make two batches."""
        options = {**self._options, "max_retries": 0}
        begun = await self._litellm.acreate_batch(
            completion_window="24h", endpoint=self._path, input_file_id=file, **options
        )
        return str(begun.id)

    async def begun_of(self, file: str) -> str | None:
        """Returns the batch that was begun of a file, None where there is none among the latest."""
        page = await self._litellm.alist_batches(limit=_RECENT, **self._options)
        return next((str(b.id) for b in page.data if b.input_file_id == file), None)

    async def look(self, batch: str) -> Look:
        """Returns how a batch stands; one that the provider does not know any more has failed."""
        import openai

        try:
            found = await self._litellm.aretrieve_batch(batch_id=batch, **self._options)
        except openai.NotFoundError:
            return Look("failed", words="the provider does not know it any more")
        counts = found.request_counts
        said = [e.message for e in (found.errors.data if found.errors else None) or () if e.message]
        return Look(
            found.status,
            counts.completed + counts.failed if counts else 0,
            "; ".join(said),
            tuple(f for f in (found.output_file_id, found.error_file_id) if f),
        )

    async def fetch(self, files: Sequence[str]) -> Fetched:
        """Returns what lies in the files of a batch that ended."""
        import openai

        replies: dict[str, Reply] = {}
        damaged = 0
        for file in files:
            try:
                content = (await self._litellm.afile_content(file_id=file, **self._options)).content
            except openai.NotFoundError:  # kept for so many days, and then no more
                continue
            for read in _lines(content):
                if read is None:
                    damaged += 1
                else:
                    replies[read[0]] = read[1]
        return Fetched(replies, damaged)


def _lines(content: bytes) -> Iterator[tuple[str, Reply] | None]:
    for line in content.split(b"\n"):
        if line.strip():
            try:
                yield _reply(json.loads(line))
            except (KeyError, TypeError, ValueError, RecursionError):
                yield None


def _reply(row: Mapping[str, Any]) -> tuple[str, Reply]:
    key, response = row["custom_id"], row.get("response")
    if not isinstance(key, str):
        raise TypeError("no key")
    if not response:
        error = row["error"]
        return key, failed(str(error["message"]), error.get("code"))
    reply = Reply(response["status_code"], response["body"])
    if reply.status not in _HTTP or not isinstance(reply.body, Mapping):
        raise ValueError("no reply")
    return key, reply


def failed(words: str, code: str | None = None) -> Reply:
    """Returns what stands for the reply to a request that got none."""
    return Reply(500, {"error": {"message": words, "code": code, "type": "batch"}})
