"""A backbone that says what a test gives it."""

from __future__ import annotations

from paars_bench.backbones.door import Completion, Request, Traits


class Says:
    """Answers with the next of several replies, then with the last for ever."""

    def __init__(self, traits: Traits, *replies: Completion) -> None:
        self.traits = traits
        self.not_sent: dict[str, str] = {}
        self.remarks: tuple[str, ...] = ()
        self.replies = list(replies)
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        return self.replies[min(len(self.requests), len(self.replies)) - 1]

    def count_tokens(self, text: str) -> int:
        return len(text)

    async def aclose(self) -> None: ...
