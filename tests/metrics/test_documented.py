"""The examples of docs/metrics.md run, and the room stays light and pure."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_documented_example_runs() -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs/metrics.md").read_text(), flags=re.S)
    assert len(code) == 1
    subprocess.run([sys.executable, "-c", code[0]], check=True, cwd=ROOT, timeout=120)


def test_importing_the_metrics_loads_no_model_library() -> None:
    heavy = "{'torch', 'transformers', 'sentence_transformers', 'datasets', 'litellm', 'sklearn'}"
    code = f"import sys, paars_bench.metrics; assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
