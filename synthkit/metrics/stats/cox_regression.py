"""Cox regression by Newton's method, a step of it two matrix products: it is fitted seven times for one outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

COX_RIDGE = 0.01  # penalty of a Cox regression that predicts
MAX_COX_STEPS = 100  # a dozen is usual
NEWTON_TOLERANCE = 1e-10  # log-likelihood a row that one more step would gain
WIDEST_RISKS = 600.0  # of log-hazards that are summed as numbers: exp(-745) is nought, 1 over it is infinite
SINGULAR = 1e-12  # smallest over largest eigenvalue of the information below which columns say the same


def cox(
    x: NDArray[np.float64], times: NDArray[np.float64], seen: NDArray[np.bool_], *, ridge: float = COX_RIDGE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Log-hazard ratios of a Cox regression (Efron's ties, a ridge), and their covariance.

    Maximises $\ell(\beta) - \frac{n}{2} \lambda \lVert \beta \rVert^2$ on columns of spread 1. Columns in which all
    rows are equal have no effect: nought, with infinite variance.

    **Shape**: (n, p), (n,), (n,) -> (p,), (p, p).

    Raises:
        MetricError: no column differs, or the fit does not converge.

    References:
        Regression Models and Life-Tables (Cox, 1972); The Efficiency of Cox's Likelihood Function for Censored Data
        (Efron, 1977).

    Example:
        >>> x, seen = np.array([[0.0], [1.0], [0.0], [1.0]]), np.ones(4, dtype=bool)
        >>> beta, _ = cox(x, np.array([4.0, 1.0, 2.0, 3.0]), seen, ridge=0.0)
        >>> beta.round(3)
        array([0.941])
    """
    used = np.flatnonzero(x.std(axis=0) > 1e-9)
    if not len(used):
        msg = "a Cox regression needs a column that differs between rows; however: none does. Declare another target"
        raise MetricError(msg)
    spread = x[:, used].std(axis=0, ddof=1)
    found, inverse = _maximised(_Partial.of((x[:, used] - x[:, used].mean(axis=0)) / spread, times, seen), ridge)
    beta, covariance = np.zeros(x.shape[1]), np.diag(np.full(x.shape[1], np.inf))
    beta[used], covariance[np.ix_(used, used)] = found / spread, inverse / np.outer(spread, spread)
    return beta, covariance


@dataclass(frozen=True)
class _Partial:
    """Efron's partial likelihood of rows in order of time.

    Args:
        x: the rows. **Shape**: (n, p).
        dead: rows with an event. **Shape**: (e,).
        first: for each event the first row at its time, from which on rows are at risk. **Shape**: (e,).
        ties: the first event of each time that has any. **Shape**: (t,).
        place: for each event which of those times is its own. **Shape**: (e,).
        share: for each event the share of its ties that is taken out before it. **Shape**: (e,).
    """

    x: NDArray[np.float64]
    dead: NDArray[np.intp]
    first: NDArray[np.intp]
    ties: NDArray[np.intp]
    place: NDArray[np.intp]
    share: NDArray[np.float64]

    @classmethod
    def of(cls, x: NDArray[np.float64], times: NDArray[np.float64], seen: NDArray[np.bool_]) -> _Partial:
        """Of rows in any order."""
        order = np.argsort(times, kind="stable")
        times, dead = times[order], np.flatnonzero(seen[order])
        first = np.searchsorted(times, times[dead], "left")
        _, ties, place, tied = np.unique(first, return_index=True, return_inverse=True, return_counts=True)
        return cls(x[order], dead, first, ties, place, (np.arange(len(dead)) - ties[place]) / tied[place])

    def at(self, beta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Log-likelihood, gradient and information. **Shape**: (p,) -> (), (p,), (p, p).

        A step that is far too long spreads hazards over more than numbers hold: it is said to be worth nothing.
        """
        x, risk = self.x, self.x @ beta
        top = float(risk.max())
        if not top - float(risk.min()) <= WIDEST_RISKS:
            return -np.inf, np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
        phi = np.exp(risk - top)
        weighted = np.column_stack([phi, phi[:, None] * x])
        at_risk = np.cumsum(weighted[::-1], axis=0)[::-1][self.first]
        # each time's own sum: as a difference of running sums it would lose small hazards after large ones
        died = np.add.reduceat(weighted[self.dead], self.ties, axis=0)[self.place]
        left = at_risk - self.share[:, None] * died
        total, mean = left[:, 0], left[:, 1:] / left[:, :1]
        # how often a row counts: with every event from which on it is at risk, less its share where it is one of a tie
        counts = np.cumsum(np.bincount(self.first, 1 / total, minlength=len(x)))
        tied = np.bincount(self.first, self.share / total, minlength=len(x))
        counts[self.dead] -= tied[self.first]
        heavy = (phi * counts)[:, None] * x
        value = float(risk[self.dead].sum() - np.log(total).sum() - top * len(total))
        return value, x[self.dead].sum(axis=0) - heavy.sum(axis=0), x.T @ heavy - mean.T @ mean


def _maximised(partial: _Partial, ridge: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the likelihood less its penalty is largest, and the inverse of the information there.

    Raises:
        MetricError: columns say the same, or the steps do not come to an end.
    """
    n, p = partial.x.shape

    def penalised(beta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        value, gradient, information = partial.at(beta)
        return (
            value - n * ridge * float(beta @ beta) / 2,
            gradient - n * ridge * beta,
            information + n * ridge * np.eye(p),
        )

    beta, size = np.zeros(p), 1.0
    value, gradient, information = penalised(beta)
    for _ in range(MAX_COX_STEPS):
        lengths, axes = np.linalg.eigh(information)
        if not lengths[0] > SINGULAR * lengths[-1]:
            break
        step = axes @ ((axes.T @ gradient) / lengths)
        if gradient @ step < NEWTON_TOLERANCE * n:
            return beta + step, (axes / lengths) @ axes.T
        tried = penalised(beta + size * step)
        if tried[0] >= value:
            beta, (value, gradient, information), size = beta + size * step, tried, 1.0
        else:
            size /= 2
    msg = "a Cox regression must converge; however: it did not. Leave columns that are made from the outcome out by "
    raise MetricError(msg + "`exclude`")
