"""What the command line says of a data set: shared by the tests of importers."""

from __future__ import annotations

import pytest

from paars_bench.cli import main
from paars_bench.data import load_dataset


def assert_told(spec: str, capsys: pytest.CaptureFixture[str], *words: str) -> None:
    """`data describe` says the words, whatever its lines, and `data mine` every rule of the import."""
    assert main(["data", "describe", spec]) == 0
    described = " ".join(capsys.readouterr().out.split())
    assert [w for w in words if w not in described] == []
    assert main(["data", "mine", spec]) == 0
    mined = capsys.readouterr().out
    steps = load_dataset(spec).funnel(None)
    assert steps and [s.rule for s in steps if s.rule not in mined] == []
