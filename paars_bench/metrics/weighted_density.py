"""Log sums of kernels under many weightings of the shoppers at once, stable at any bandwidth.

A bootstrap needs log Σ w_s K_js for thousands of weight rows w. One matrix product does that, except where
the kernels of a draw span more than float64 can hold and the row gives no weight to the near ones (at a
bandwidth of 0.01 that is a third of all entries): those few columns are summed one by one, in logarithms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from paars_bench.metrics.density import log_kernels
from paars_bench.metrics.resampling import Bools, Floats, Ints

_DRAW_BLOCK = 1024
_TINY = 1e-250  # below it a sum may have lost terms to underflow
_NEAREST = 16
_ENTRIES = 65_536  # entries repaired at a time
_SURE = 30.0  # nats: what lies further below cannot change a float64


def shopper_log_kernels(
    points: Floats, rows: Ints, at: Floats, bandwidth: float, size: int, *, leave_out: Ints | None = None
) -> Floats:
    """Returns (m, S): for each row of ``at`` the log of the summed kernels of each shopper's points.

    Args:
        points: (n, d).
        rows: (n,) the shopper's row of each point.
        at: (m, d).
        bandwidth: above 0.
        size: S; a shopper without a point has -inf.
        leave_out: (m,) the point whose kernel is left out for each row of ``at``.
    """
    order = np.argsort(rows, kind="stable")
    present, starts = np.unique(rows[order], return_index=True)
    sorted_points = points[order]
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    alone = len(present) == len(rows)
    out = np.full((len(at), size), -np.inf)
    for start in range(0, len(at), _DRAW_BLOCK):
        block = slice(start, min(start + _DRAW_BLOCK, len(at)))
        kernels = log_kernels(sorted_points, at[block], bandwidth)
        if leave_out is not None:
            kernels[np.arange(block.stop - start), place[leave_out[block]]] = -np.inf
        if not alone:
            peak = np.maximum.reduceat(kernels, starts, axis=1)
            shift = np.where(np.isfinite(peak), peak, 0.0)
            kernels -= np.repeat(shift, np.diff(np.append(starts, len(rows))), axis=1)
            np.exp(kernels, out=kernels)
            with np.errstate(divide="ignore"):
                kernels = shift + np.log(np.add.reduceat(kernels, starts, axis=1))
        out[block, present] = kernels
    return out


def weighted_log_sums(log_terms: Floats, weights: npt.NDArray[np.float32], used: Bools) -> Floats:
    """Returns log Σ_s w_rs exp(L_js), shape (m, R).

    Args:
        log_terms: L, (m, S), -inf allowed.
        weights: w, (R, S), not negative.
        used: (m, R); entries where it is False are not repaired and may be wrong.

    Returns:
        -inf where no term has weight.
    """
    peak = log_terms.max(axis=1, initial=-np.inf)
    shift = np.where(np.isfinite(peak), peak, 0.0)
    sums: Floats = np.exp(log_terms - shift[:, None]) @ weights.T.astype(np.float64)
    lost = np.nonzero((sums < _TINY) & used)
    with np.errstate(divide="ignore"):
        out = np.log(sums) + shift[:, None]
    if len(lost[0]):
        _repair(out, log_terms, weights, lost)
    return np.asarray(out)


def _repair(out: Floats, log_terms: Floats, weights: npt.NDArray[np.float32], lost: tuple[Ints, ...]) -> None:
    size = log_terms.shape[1]
    nearest = min(_NEAREST, size)
    columns = np.argpartition(-log_terms, nearest - 1, axis=1)[:, :nearest]
    furthest = np.take_along_axis(log_terms, columns, axis=1).min(axis=1)
    heaviest = float(np.log(max(1.0, float(weights.max()) * size)))
    for start in range(0, len(lost[0]), _ENTRIES):
        draw, row = (axis[start : start + _ENTRIES] for axis in lost)
        found = _log_sum(log_terms[draw[:, None], columns[draw]], weights[row[:, None], columns[draw]])
        out[draw, row] = found
        if nearest < size:
            unsure = ~(found > furthest[draw] + heaviest + _SURE)
            _repair_fully(out, log_terms, weights, (draw[unsure], row[unsure]))


def _repair_fully(out: Floats, log_terms: Floats, weights: npt.NDArray[np.float32], entries: tuple[Ints, Ints]) -> None:
    step = max(1, _ENTRIES * _NEAREST // log_terms.shape[1])
    for start in range(0, len(entries[0]), step):
        draw, row = (axis[start : start + step] for axis in entries)
        out[draw, row] = _log_sum(log_terms[draw], weights[row])


def _log_sum(log_terms: Floats, weights: npt.NDArray[np.float32]) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(logsumexp(log_terms + np.log(weights.astype(np.float64)), axis=1))
