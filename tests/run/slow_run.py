"""The command line on a slow fake model, for tests that kill it: `slow_run.py SECONDS MOST_BYTES WORDS…`."""

from __future__ import annotations

import importlib
import resource
import sys

from fake_runs import FakeBackbone

from paars_bench.cli import main

if __name__ == "__main__":
    seconds, most_bytes = float(sys.argv[1]), int(sys.argv[2])
    if most_bytes:  # a file that cannot grow, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    opening = importlib.import_module("paars_bench.run.opening")
    opening.open_backbone = lambda *args, **kwargs: FakeBackbone(seconds=seconds, scripted=False)
    sys.exit(main(sys.argv[3:]))
