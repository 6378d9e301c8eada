"""The scripted provider, started once a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from loopback import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.close()
