"""Monte-Carlo KL between two kernel density estimates (paper, equation 7), for query embeddings.

``paper`` evaluates the human density at draws from itself, so the kernel that made a draw sits at the draw:
at a bandwidth of 0.1 in 384 dimensions that alone reads 41 nats for two halves of one population at n = 250,
and 27 at n = 1,440. ``leave_one_out`` leaves that kernel out and reads about 0 for both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self, get_args

import numpy as np
import numpy.typing as npt

from paars_bench.metrics.density import _points, check_bandwidth, kde_log_density
from paars_bench.metrics.resampling import Bools, Floats, Ints, checked_rows
from paars_bench.metrics.weighted_density import shopper_log_kernels, weighted_log_sums

Estimator = Literal["leave_one_out", "paper"]
_CACHED = 12_000_000  # entries of the human side kept between conditions: 96 MB


class KdeKl(NamedTuple):
    """A KDE Monte-Carlo KL with what is needed to read it, in nats.

    Attributes:
        value: KL(human‖agent), mean over the repeats; with ``leave_one_out`` it can be slightly below 0.
        floor: the same between random halves of the humans, mean over ``floor_splits`` splits.
        n: human points.
        n_agent: agent points.
        floor_n: points a side behind the floor; ``paper`` values of different n cannot be compared.
        repeats: value of each Monte-Carlo repeat.
        estimator: ``leave_one_out`` or ``paper``.
        bandwidth: standard deviation of the kernels.
        floor_method: how the floor was made.
    """

    value: float
    floor: float
    n: int
    n_agent: int
    floor_n: int
    repeats: tuple[float, ...]
    estimator: Estimator
    bandwidth: float
    floor_method: str


def kde_kl(
    human: npt.ArrayLike,
    agent: npt.ArrayLike,
    *,
    bandwidth: float = 0.1,
    estimator: Estimator = "leave_one_out",
    mc_samples: int = 1000,
    mc_repeats: int = 5,
    rng: np.random.Generator,
    floor_splits: int = 5,
    device: str | None = None,
) -> KdeKl:
    """Returns KL(human‖agent) of two sets of points and the humans' own split-half floor.

    Args:
        human: (n, d) points, n at least 4.
        agent: (m, d) points.
        bandwidth: standard deviation of the Gaussian kernels of both sides (paper: 0.1 fits its numbers).
        estimator: see the module.
        mc_samples: draws a repeat.
        mc_repeats: repeats that are averaged (paper: 5).
        rng: the only source of chance.
        floor_splits: random halvings of the humans.
        device: a torch device; the CPU through NumPy by default.

    Raises:
        ValueError: too few points, shapes that do not fit, an unknown estimator, or a bandwidth that is not above 0
            and finite.
    """
    x, y = _points(human, "human"), _points(agent, "agent")
    check_estimator(estimator)
    check_bandwidth(bandwidth)
    if len(x) < 4:
        raise ValueError(f"kde_kl needs at least 4 human points for a value and a floor, got {len(x)}")
    if mc_samples < 1 or mc_repeats < 1 or floor_splits < 1:
        raise ValueError("mc_samples, mc_repeats and floor_splits must be at least 1")
    values = [
        _plain_kl(x, y, _Draws.make(x, bandwidth, mc_samples, 1, rng), bandwidth, estimator, device)
        for _ in range(mc_repeats)
    ]
    floors = []
    for _ in range(floor_splits):
        order = rng.permutation(len(x))
        a, b = x[order[: len(x) // 2]], x[order[len(x) // 2 :]]
        floors.append(_plain_kl(a, b, _Draws.make(a, bandwidth, mc_samples, 1, rng), bandwidth, estimator, device))
    return KdeKl(
        float(np.mean(values)),
        float(np.mean(floors)),
        len(x),
        len(y),
        len(x) // 2,
        tuple(values),
        estimator,
        bandwidth,
        f"mean of {floor_splits} random split halves of the human points",
    )


def check_estimator(name: str) -> None:
    """Raises ValueError unless ``name`` is an estimator."""
    if name not in get_args(Estimator):
        raise ValueError(f"unknown estimator {name!r}: valid are {', '.join(get_args(Estimator))}")


class _Draws(NamedTuple):
    """Draws from a density estimate: where they lie (m, d) and the point whose kernel made each (m,)."""

    at: Floats
    origin: Ints

    @classmethod
    def make(cls, points: Floats, bandwidth: float, samples: int, repeats: int, rng: np.random.Generator) -> _Draws:
        # Every point makes equally many draws, to within one: the same density, with less Monte-Carlo error.
        n = len(points)
        origin = np.concatenate([rng.permutation(n) for _ in range(repeats) for _ in range(-(-samples // n))]).reshape(
            repeats, -1
        )[:, :samples]
        origin = origin.ravel()
        noise = rng.standard_normal((len(origin), points.shape[1]))
        return cls(points[origin] + bandwidth * noise, origin)


def _plain_kl(x: Floats, y: Floats, draws: _Draws, bandwidth: float, estimator: Estimator, device: str | None) -> float:
    own = draws.origin if estimator == "leave_one_out" else None
    log_p = kde_log_density(x, draws.at, bandwidth, leave_out=own, device=device)
    log_q = kde_log_density(y, draws.at, bandwidth, device=device)
    return float(np.mean(log_p - log_q))


@dataclass(frozen=True, slots=True, eq=False)
class _HumanSide:
    """The draws, the human kernels at them, the last weighting's log density: shared by all conditions."""

    points: Floats
    rows: Ints
    draws: _Draws
    log_kernels: Floats
    last: dict[bytes, Floats] = field(default_factory=dict)

    def log_density(self, weights: npt.NDArray[np.float32], used: Bools) -> Floats:
        key = hashlib.blake2b(np.ascontiguousarray(weights).tobytes()).digest()
        if key in self.last:
            return self.last[key]
        value = weighted_log_sums(self.log_kernels, weights, used)
        if value.size <= _CACHED:
            self.last.clear()
            self.last[key] = value
        return value


@dataclass(frozen=True, slots=True, eq=False)
class KdeStatistic:
    """The KDE Monte-Carlo KL as a function of shopper weights; build it with ``make``.

    The draws are made once, from the unweighted humans; a weighting counts a draw as often as the shopper
    whose kernel made it. So any number of weightings, and every condition through ``with_agent``, shares the
    same draws.
    """

    human: _HumanSide
    agent_points: Floats
    agent_rows: Ints
    agent_log_kernels: Floats
    size: int
    bandwidth: float
    estimator: Estimator
    mc_samples: int
    mc_repeats: int

    @classmethod
    def make(
        cls,
        human: npt.ArrayLike,
        human_rows: npt.ArrayLike,
        agent: npt.ArrayLike,
        agent_rows: npt.ArrayLike,
        *,
        size: int,
        bandwidth: float = 0.1,
        estimator: Estimator = "leave_one_out",
        mc_samples: int = 1000,
        mc_repeats: int = 5,
        rng: np.random.Generator,
    ) -> KdeStatistic:
        """Draws the Monte-Carlo samples and computes both sides' kernels at them.

        Args:
            human: (n, d) points.
            human_rows: (n,) the shopper's row of each human point.
            agent: (m, d) points.
            agent_rows: (m,) the shopper's row of each agent point.
            size: S, the shoppers of the plan.
            bandwidth: standard deviation of the kernels, above 0.
            estimator: ``leave_one_out`` or ``paper``.
            mc_samples: draws a repeat.
            mc_repeats: repeats; the value is the mean over all draws.
            rng: the only source of chance.

        Raises:
            ValueError: shapes do not fit, a row is no whole number from 0 to ``size`` - 1, an unknown estimator, or a
                bandwidth that is not above 0 and finite.
        """
        check_estimator(estimator)
        check_bandwidth(bandwidth)
        if mc_samples < 1 or mc_repeats < 1:
            raise ValueError("mc_samples and mc_repeats must be at least 1")
        x = _points(human, "human")
        rows = checked_rows(human_rows, len(x), size, "human_rows")
        draws = _Draws.make(x, bandwidth, mc_samples, mc_repeats, rng)
        own = draws.origin if estimator == "leave_one_out" else None
        kernels = shopper_log_kernels(x, rows, draws.at, bandwidth, size, leave_out=own)
        y = _points(agent, "agent")
        agent_index = checked_rows(agent_rows, len(y), size, "agent_rows")
        return cls(
            _HumanSide(x, rows, draws, kernels),
            y,
            agent_index,
            shopper_log_kernels(y, agent_index, draws.at, bandwidth, size),
            size,
            bandwidth,
            estimator,
            mc_samples,
            mc_repeats,
        )

    @property
    def n_human(self) -> int:
        """Human points."""
        return len(self.human.points)

    @property
    def n_agent(self) -> int:
        """Agent points."""
        return len(self.agent_points)

    @property
    def present(self) -> Bools:
        """(S,) whether a shopper has a point on either side."""
        out = np.zeros(self.size, dtype=np.bool_)
        out[self.human.rows] = True
        out[self.agent_rows] = True
        return out

    def divergence(self, w_human: npt.NDArray[np.generic], w_agent: npt.NDArray[np.generic]) -> Floats:
        """Returns (R,) KL(human‖agent) in nats for (R, S) weights a side.

        NaN where it is undefined: a side without any weighted point, or, leaving one out, a human side whose
        weighted draws all come from its only point.
        """
        human, agent = w_human.astype(np.float32), w_agent.astype(np.float32)
        draw_weight = human[:, self.human.rows[self.human.draws.origin]].T
        used = draw_weight > 0
        log_p = self.human.log_density(human, used)
        log_q = weighted_log_sums(self.agent_log_kernels, agent, used)
        n_human = human @ np.bincount(self.human.rows, minlength=self.size).astype(np.float64)
        n_agent = agent @ np.bincount(self.agent_rows, minlength=self.size).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            # leaving one out takes the drawing kernel's own weight from the total
            left = draw_weight if self.estimator == "leave_one_out" else 0.0
            gap = log_p - np.log(n_human - left) - log_q + np.log(n_agent)
            total = np.where(used, draw_weight * gap, 0.0).sum(axis=0)
            value = total / draw_weight.sum(axis=0)
        return np.where(np.isfinite(value), value, np.nan)

    def with_agent(self, agent: npt.ArrayLike, agent_rows: npt.ArrayLike) -> Self:
        """Returns the same comparison of the same humans, at the same draws, with other agents."""
        y = _points(agent, "agent")
        rows = checked_rows(agent_rows, len(y), self.size, "agent_rows")
        kernels = shopper_log_kernels(y, rows, self.human.draws.at, self.bandwidth, self.size)
        return replace(self, agent_points=y, agent_rows=rows, agent_log_kernels=kernels)

    def human_floor(self) -> Self:
        """Returns the humans compared with themselves: what the floor is made from."""
        return self.with_agent(self.human.points, self.human.rows)

    def pooled(self, rng: np.random.Generator) -> KdeStatistic:
        """Returns the statistic over 2 S units, all points on both sides, for ``permutation_test``.

        Args:
            rng: draws the Monte-Carlo samples anew, from all points.
        """
        points = np.concatenate([self.human.points, self.agent_points])
        rows = np.concatenate([self.human.rows, self.agent_rows + self.size])
        return KdeStatistic.make(
            points,
            rows,
            points,
            rows,
            size=2 * self.size,
            bandwidth=self.bandwidth,
            estimator=self.estimator,
            mc_samples=self.mc_samples,
            mc_repeats=self.mc_repeats,
            rng=rng,
        )

    def describe(self) -> dict[str, Any]:
        """Returns what was chosen, in plain JSON."""
        return {
            "divergence": "kl",
            "density": "gaussian_kde_exact",
            "estimator": self.estimator,
            "bandwidth": self.bandwidth,
            "mc_samples": self.mc_samples,
            "mc_repeats": self.mc_repeats,
            "dimensions": self.agent_points.shape[1],
        }
