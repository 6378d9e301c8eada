"""What inferring says of the demo's visits, against what its shoppers really came for.

    python scripts/intention_confusion.py            # 200 shoppers
    python scripts/intention_confusion.py 600

Prints how often each true kind is inferred as each kind, and how much the kinds tell of a purchase: the share of
visits of each kind, true and inferred, that end with one. The true kind is read from the words of the demo's own
intention.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import pyarrow as pa

from paars_bench.data.demo import simulate
from paars_bench.data.demo.reading import kind_told
from paars_bench.data.intentions import IntentionKind, infer_intentions
from paars_bench.data.mining_index import LogIndex
from paars_bench.data.mining_rules import MiningRules
from paars_bench.data.mining_split import split_by_cutoff
from paars_bench.data.schema import Action


def main(shoppers: int) -> None:
    index = LogIndex(simulate(shoppers=shoppers, seed=0, products=3_000))
    period = split_by_cutoff(index, MiningRules())
    chosen = np.flatnonzero(period.sessions)
    inferred = infer_intentions(index, chosen, period.cutoff, seed=0).kinds
    words = index.log.sessions.column("intention").take(pa.array(chosen)).to_pylist()
    true = [IntentionKind(kind_told(text) or "") for text in words]
    bought = np.bincount(index.session[index.is_action(Action.PURCHASE)], minlength=len(index.start))[chosen] > 0
    table = Counter(zip(true, inferred, strict=True))
    kinds = list(IntentionKind)
    print(f"{len(chosen):,} visits; rows: came for, columns: inferred\n")
    print("| |" + "|".join(kinds) + "|share|buys|")
    print("|" + "---|" * (len(kinds) + 3))
    for row in kinds:
        of = [table[row, column] for column in kinds]
        mask = np.array([t is row for t in true])
        cells = [f"{n / max(1, sum(of)):.0%}" for n in of]
        print(f"| {row} | " + " | ".join([*cells, f"{mask.mean():.0%}", f"{bought[mask].mean():.0%}"]) + " |")
    masks = [np.array([i is k for i in inferred]) for k in kinds]
    print("| share inferred | " + " | ".join(f"{m.mean():.0%}" for m in masks) + " | | |")
    print("| of these, buys | " + " | ".join(f"{bought[m].mean():.0%}" if m.any() else "" for m in masks) + " | | |")
    agree = np.mean([t is i for t, i in zip(true, inferred, strict=True)])
    chance = sum(np.mean([t is k for t in true]) * m.mean() for k, m in zip(kinds, masks, strict=True))
    print(f"\nagreement {agree:.1%}, by chance {chance:.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
