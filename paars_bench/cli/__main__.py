"""``python -m paars_bench.cli``: the command line where the script is not on the path."""

from __future__ import annotations

import sys

from paars_bench.cli.app import main

sys.exit(main())
