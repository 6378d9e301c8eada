"""Was the human's option chosen (paper, Table 3)."""

from __future__ import annotations

import numpy as np

from paars_bench.tasks.ask import option_count
from paars_bench.tasks.scoring.asked import Asked, mean_row
from paars_bench.tasks.scoring.scorer import Row


def accuracy(asked: Asked) -> Row:
    """Returns the share of choices equal to the human's, with what chance reaches as its reference."""
    sides = asked.sides
    targets = asked.targets
    hits = [float(str(r.did) == targets[r.case_id]) for r in sides.scored]
    chance = float(np.mean([1 / option_count(sides.case(r)) for r in sides.scored]))
    return mean_row(asked, np.array(hits)) | {"reference": {"value": chance, "kind": "chance"}}
