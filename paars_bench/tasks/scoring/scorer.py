"""What the metrics of a run share: one resampling plan, the engines, and what was computed once for all conditions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from paars_bench.metrics import GroupResult, Measured, ResamplingPlan
from paars_bench.seeds import derive

Row = dict[str, Any]
T = TypeVar("T")


class MetricKey(NamedTuple):
    """One figure of a run."""

    task: str
    condition: str
    metric: str


class KeptMean(NamedTuple):
    """A mean over cases, kept until all conditions are measured.

    Attributes:
        values: (n,) of the scored cases.
        rows: (n,) the shopper's row of each.
        weight: None, since a mean has no score.
    """

    values: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    weight: None = None


class KeptDivergence(NamedTuple):
    """A divergence, kept until all conditions are measured.

    Attributes:
        measured: the statistic on the plan's half-splits.
        result: what was made of it, its score and the score's spread among others.
        weight: in the alignment score.
    """

    measured: Measured
    result: GroupResult
    weight: float


Kept = KeptMean | KeptDivergence


@dataclass(slots=True)
class Scorer:
    """Everything the metrics of a run share.

    Attributes:
        plan: resampling of shoppers, the same for all metrics and conditions.
        seed: of the run.
        embed: texts to unit vectors (n, d).
        perplexity: (context, text) pairs to perplexities (n,).
        with_base: whether condition ``base`` may be the reference that scores 0. Not for a scripted baseline: it reads
            no prompt, so its ``base`` is the baseline itself and not the same agent knowing nothing.
        base: statistics of condition ``base`` by task and metric.
        kept: what differences between conditions and the alignment score are made of.
    """

    plan: ResamplingPlan
    seed: int
    embed: Callable[[Sequence[str]], npt.NDArray[np.float32]]
    perplexity: Callable[[Sequence[tuple[str, str]]], npt.NDArray[np.float64]]
    with_base: bool = True
    base: dict[tuple[str, str], Measured] = field(default_factory=dict)
    kept: dict[MetricKey, Kept] = field(default_factory=dict)
    _once: dict[Hashable, Any] = field(default_factory=dict)
    _task: str = ""

    def rows(self, shoppers: Sequence[str]) -> npt.NDArray[np.int64]:
        """Returns the plan's row of each shopper."""
        return self.plan.rows(shoppers)

    def rng(self, *names: str) -> np.random.Generator:
        """Returns a generator that depends on the run's seed and ``names`` only."""
        return np.random.default_rng(derive(self.seed, *names))

    def once(self, task: str, what: Hashable, make: Callable[[], T]) -> T:
        """Returns what ``make`` returns, made once for all conditions of a task.

        The conditions of a task share its humans: their kernels and their floor are nine tenths of scoring. They are
        let go of when another task is measured.
        """
        if task != self._task:
            self._once.clear()
            self._task = task
        if what not in self._once:
            self._once[what] = make()
        return self._once[what]  # type: ignore[no-any-return]
