"""Lists on a real terminal of a given width: no line is longer, and no word is broken."""

from __future__ import annotations

import os
import struct
import subprocess
import sys

import pytest

if os.name != "posix":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import fcntl
import pty
import termios


def on_terminal(width: int, *words: str) -> str:
    """Returns what a command line writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    command = [sys.executable, "-m", "paars_bench.cli", *words]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while chunk := _read(ours):
            said += chunk
    os.close(ours)
    assert process.returncode == 0, said.decode()
    return said.decode().replace("\r", "")


def _read(file: int) -> bytes:
    try:
        return os.read(file, 65536)
    except OSError:  # how Linux says that the other end has closed
        return b""


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("what", ["tasks", "groups", "datasets", "models", "conditions", "metrics"])
def test_a_list_fits_its_terminal_and_breaks_no_word(what: str, width: int) -> None:
    piped = subprocess.run(
        [sys.executable, "-m", "paars_bench.cli", "ls", what], capture_output=True, text=True, check=True
    ).stdout
    shown = on_terminal(width, "ls", what)
    assert max(map(len, shown.splitlines())) <= width
    for line in piped.splitlines()[1:]:
        assert set(line.split()) <= set(shown.split())
