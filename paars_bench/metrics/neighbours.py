"""k-nearest-neighbour KL after a projection that the humans set: it sees narrowing and local density.

The plain formula breaks on text: people type the same query twice, a distance is 0 and the estimate infinite.
So no distance counts as less than a resolution: what 5 % of the humans' k-th neighbour distances above 0 do not
reach. Densities beyond that are not told apart, which caps what an exact copy can add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.neighbour_lists import NeighbourLists
from paars_bench.metrics.points import PointSides, PointStatistic, TwoSample, two_sample
from paars_bench.metrics.resampling import Floats, Ints

_WEIGHT_BLOCK = 256  # rows: 10 MB of radii at 5,000 points
_RESOLVED = 0.05  # quantile of the humans' distances
_NOTE = (
    "conservative: half the points are further apart, so half-samples vary more, and this may hold more than its level"
)


class _Choice(NamedTuple):
    k: int
    components: int
    reverse: bool


class _Ruler(NamedTuple):
    """What the humans set: the principal components and the resolution."""

    centre: Floats
    axes: Floats
    resolution: float

    def project(self, points: Floats) -> Floats:
        return np.asarray((points - self.centre) @ self.axes.T)


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourStatistic(PointStatistic):
    """k-NN estimate of KL(human‖agent), or of KL(agent‖human), as a function of shopper weights.

    c · mean log(ν / ρ) + log(M / N) over the human points, with ρ and ν the distances to the k-th human and the
    k-th agent point of other shoppers, M and N how many of them there are, c the components (Wang, Kulkarni &
    Verdú 2009, "Divergence estimation for multidimensional densities via k-nearest-neighbor distances", IEEE
    Trans. Inf. Theory 55, eq. 14). In nats of the projected densities, so at most about the KL of the full ones;
    an estimate may lie below 0. Under weights the k-th neighbour is where the weight reaches k.
    """

    sides: PointSides
    choice: _Choice
    ruler: _Ruler
    own: NeighbourLists
    other: NeighbourLists

    @classmethod
    def make(cls, sides: PointSides, *, k: int = 5, components: int = 10, reverse: bool = False) -> Self:
        """Fits the projection on the humans and finds the neighbours.

        Args:
            sides: the points.
            k: neighbours, at least 1.
            components: principal components of the humans that are kept; fewer where they have fewer.
            reverse: KL(agent‖human), which sees agents where no human is.

        Raises:
            ValueError: k or components below 1, or humans without k neighbours at a distance above 0.
        """
        if k < 1 or components < 1:
            raise ValueError(f"k and components must be at least 1, got {k} and {components}")
        choice = _Choice(k, components, reverse)
        axes = _principal_axes(sides.human, choice.components)
        ruler = _Ruler(sides.human.mean(axis=0), axes, 0.0)
        humans = _lists(sides, ruler, choice.k, at_human=True, among_human=True)
        radii = humans.radii(np.ones((1, sides.size)), choice.k, np.ones((len(sides.human), 1), dtype=np.bool_))
        positive = radii[np.isfinite(radii) & (radii > 0)]
        if len(positive) == 0:
            raise ValueError(f"no human point has {choice.k} neighbours of other shoppers at a distance above 0")
        ruler = ruler._replace(resolution=float(np.quantile(positive, _RESOLVED)))
        return cls._with(sides, choice, ruler, None if choice.reverse else humans)

    @classmethod
    def _with(cls, sides: PointSides, choice: _Choice, ruler: _Ruler, own: NeighbourLists | None) -> Self:
        near = not choice.reverse
        if own is None:
            own = _lists(sides, ruler, choice.k, at_human=near, among_human=near)
        other = own if sides.same else _lists(sides, ruler, choice.k, at_human=near, among_human=not near)
        return cls(sides, choice, ruler, own, other)

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) KL in nats for (R, size) weights a side.

        NaN where a side has no weight, or some point fewer than k neighbours of other shoppers.
        """
        out = np.empty(len(w_human))
        for start in range(0, len(w_human), _WEIGHT_BLOCK):
            rows = slice(start, start + _WEIGHT_BLOCK)
            weights = (w_agent[rows], w_human[rows]) if self.choice.reverse else (w_human[rows], w_agent[rows])
            out[rows] = self._kl(*weights)
        return out

    def _kl(self, w_own: npt.NDArray[np.generic], w_other: npt.NDArray[np.generic]) -> Floats:
        weight = w_own[:, self.own.at_rows].T.astype(np.float64)
        used = weight > 0
        least = self.ruler.resolution
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = np.log(np.maximum(self.other.radii(w_other, self.choice.k, used), least))
            gap -= np.log(np.maximum(self.own.radii(w_own, self.choice.k, used), least))
            gap *= len(self.ruler.axes)
            gap += np.log(self.other.reachable(w_other)) - np.log(self.own.reachable(w_own))
            value = np.where(used, weight * gap, 0.0).sum(axis=0) / weight.sum(axis=0)
        return np.where(np.isfinite(value), value, np.nan)

    def _compare(self, sides: PointSides) -> Self:
        return self._with(sides, self.choice, self.ruler, None if self.choice.reverse else self.own)

    def _refit(self, sides: PointSides) -> Self:
        return self.make(sides, **self.choice._asdict())

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen, in plain JSON."""
        return {
            "divergence": "knn_kl_reverse" if self.choice.reverse else "knn_kl",
            "k": self.choice.k,
            "components": len(self.ruler.axes),
            "projection": "principal components of the human points",
            "resolution": self.ruler.resolution,
            "neighbours": "of other shoppers",
            "interval_note": _NOTE,
        }


def _principal_axes(points: Floats, components: int) -> Floats:
    """Returns up to ``components`` axes (c, d); fewer where the points span fewer."""
    centred = points - points.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    kept = max(1, min(components, int(np.sum(variances > 1e-12 * variances[-1]))))
    return np.asarray(axes[:, ::-1][:, :kept].T)


def _lists(sides: PointSides, ruler: _Ruler, k: int, *, at_human: bool, among_human: bool) -> NeighbourLists:
    def of(human: bool) -> tuple[Floats, Ints]:
        if human:
            return ruler.project(sides.human), sides.human_rows
        return ruler.project(sides.agent), sides.agent_rows

    return NeighbourLists.make(*of(at_human), *of(among_human), size=sides.size, shoppers=sides.shoppers, k=k)


def knn_kl(
    human: npt.ArrayLike,
    agent: npt.ArrayLike,
    *,
    k: int = 5,
    components: int = 10,
    reverse: bool = False,
    rng: np.random.Generator,
    floor_splits: int = 20,
) -> TwoSample:
    """Returns the k-NN KL(human‖agent) of two sets of points, in nats, and the humans' split-half floor.

    Args:
        human: (n, d), n at least 2 k + 2.
        agent: (m, d), m at least k.
        k: neighbours.
        components: principal components of the humans that are kept.
        reverse: KL(agent‖human).
        rng: draws the halves of the floor.
        floor_splits: halvings.

    Raises:
        ValueError: too few points, or human points that are all equal.
    """
    sides = PointSides.unpaired(human, agent)
    needed = {"human": (len(sides.human), 2 * k + 2), "agent": (len(sides.agent), k + reverse)}
    for side, (count, least) in needed.items():
        if count < least:
            raise ValueError(f"knn_kl with k = {k} needs at least {least} {side} points, got {count}")
    statistic = NeighbourStatistic.make(sides, k=k, components=components, reverse=reverse)
    return two_sample(statistic, rng=rng, floor_splits=floor_splits)
