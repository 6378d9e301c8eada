"""From the journal and the human side to numbers: each registered metric with its floor, interval and reference."""

from __future__ import annotations

from paars_bench.tasks.scoring.measure import measure_metric
from paars_bench.tasks.scoring.scorer import Row, Scorer

__all__ = ["Row", "Scorer", "measure_metric"]
