"""Targets of raking shrunk towards the tables of the model's own pool, so that a sample's chance is not followed.

A target differs from the pool because the model is wrong, and because the rows it was counted on are a sample and noise
may have been added. What differs is told apart in canonical contrasts: in each table the deviations

z_ij = (target_ij - pool_ij) / sqrt(p_i p_j),    c_ab = sum_ij u_ia v_jb z_ij

with u_0 = sqrt(p) and the others ordered by how much the other columns tell of them. A model's errors gather in a few
of the c, chance is spread over all. With s the standard deviation that the target's chance gives c, it moves by

g(c) = c max(0, 1 - (2 s / c)^2) - kappa clip(c, -2 s, 2 s).

The first term is a positive-part James-Stein weight of one contrast: what is beyond its chance is corrected, the rest
is left to the model. But what is corrected still takes its share of the sample's chance along: by Stein's lemma
Cov(g(c), chance of c) = s^2 E[g'(c)]. kappa takes more than that back from the contrasts within their chance:

kappa sum_near s^2 = 2.25 sum_far s^2 (1 + (2 s / c)^2),  at most 0.7,  and 0 where noise was added.

At 1 the covariances would sum to zero. It is more, for tables nearer to the truth show the same covariance as a larger
gap between training rows and others. A budget bounds what is told of a person anyway.

References:
    James, Stein: Estimation with quadratic loss (1961), for the weight.
    Stein: Estimation of the mean of a multivariate normal distribution (1981), for the covariance.
    Donoho, Johnstone: Ideal spatial adaptation by wavelet shrinkage (1994), for thresholds in an orthonormal basis.
    Breiman: Better subset regression using the nonnegative garrote (1995), for the weight of one contrast.
    Lancaster: The structure of bivariate distributions (1958), for canonical contrasts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 2.0  # standard deviations of its chance beyond which a contrast is corrected
REPULSION = 2.25  # covariance taken back for each unit that is followed (docs/models.md)
MAX_KAPPA = 0.7  # beyond it what is left to the model would be worse by more than chance
NO_CHANCE = 1e-12  # variance of a contrast, in units of 1 / rows, below which there is none: it cannot be seen
TIES = 1e-9  # orders the contrasts of which the other columns tell nothing, the same on every machine

Floats = NDArray[np.float64]


def shrunk(
    pool: Sequence[Floats],
    targets: Sequence[Floats],
    tables: Sequence[tuple[int, ...]],
    *,
    rows: float,
    sigma: Sequence[float] | Floats,
) -> list[Floats]:
    """Targets that correct what the pool has wrong beyond chance, and that are no nearer to the sample otherwise.

    Args:
        pool: shares of the pool's rows in the cells of each table. **Shape**: (K,) or (K_1, K_2) each.
        targets: shares that were measured, of the same shapes.
        tables: which one or two columns each table is of, at least one.
        rows: rows the targets were counted on, above 0.
        sigma: standard deviation of the noise in the counts of each table, rows; 0 where there is none.

    **Shape**: -> shares, of the same shapes, not negative and of sum 1.

    Example:
        >>> pool, measured = [np.array([0.5, 0.5])], [np.array([0.54, 0.46])]
        >>> few, many = (shrunk(pool, measured, [(0,)], rows=n, sigma=[0.0])[0] for n in (100, 10_000))
        >>> few.round(4).tolist(), many.round(4).tolist()  # within its chance, and beyond
        ([0.5, 0.5], [0.5375, 0.4625])
    """
    margins = _margins(pool, tables)
    bases = canonical_bases(pool, tables)
    each = [([margins[k] for k in columns], [bases[k] for k in columns]) for columns in tables]
    contrasts, variance = [], []
    for made, asked, (p, u), noise in zip(pool, targets, each, sigma, strict=True):
        contrasts.append(_contrasts(asked - made, p, u).ravel())
        variance.append(chance(made, p, u, rows=rows, sigma=float(noise)).ravel())
    told = np.concatenate(variance)
    exact = np.repeat(np.asarray(sigma) == 0, [made.size for made in pool])
    moved = moves(np.concatenate(contrasts), np.where(told > NO_CHANCE / rows, told, 0.0), exact)
    out, start = [], 0
    for made, (p, u) in zip(pool, each, strict=True):
        c, start = moved[start : start + made.size].reshape(made.shape), start + made.size
        share = np.clip(made + _deviations(c, p, u), 0.0, None)
        out.append(share / share.sum())
    return out


def moves(contrasts: Floats, variance: Floats, repelled: NDArray[np.bool_] | None = None) -> Floats:
    """How far each contrast moves from the pool to the target: g of the module's text.

    Args:
        contrasts: of the targets less those of the pool.
        variance: of each by the target's chance alone; one without any does not move.
        repelled: contrasts over which the covariance is made zero; all if not given.

    **Shape**: (k,), (k,), (k,) -> (k,).
    """
    reach = THRESHOLD * np.sqrt(variance)
    far = (np.abs(contrasts) > reach) & (reach > 0)
    ratio = np.where(far, reach / np.where(far, contrasts, 1.0), 0.0) ** 2
    here = np.full(len(contrasts), True) if repelled is None else repelled
    followed = REPULSION * float((variance * np.where(far, 1 + ratio, 0.0))[here].sum())
    near = float(variance[here & ~far].sum())
    kappa = min(MAX_KAPPA, followed / near) if near > 0 else 0.0
    kept = np.where(far, contrasts * (1 - ratio), 0.0)
    return np.asarray(kept - np.where(here, kappa, 0.0) * np.clip(contrasts, -reach, reach))


def canonical_bases(pool: Sequence[Floats], tables: Sequence[tuple[int, ...]]) -> dict[int, Floats]:
    """Orthonormal contrasts of every column: sqrt(p) first, then by how much the other columns tell of each.

    They are the eigenvectors of the sum, over tables of two columns, of S S' with S_ij = (pool_ij - p_i p_j) /
    sqrt(p_i p_j).

    **Shape**: -> by column (K, K), a contrast a column of it.
    """
    margins = _margins(pool, tables)
    told = {k: np.zeros((len(p), len(p))) for k, p in margins.items()}
    for made, columns in zip(pool, tables, strict=True):
        if len(columns) == 2:
            i, j = columns
            s = _over_root(made - np.outer(margins[i], margins[j]), [margins[i], margins[j]])
            told[i] += s @ s.T
            told[j] += s.T @ s
    out = {}
    for k, p in margins.items():
        root = np.sqrt(p)
        first = np.outer(root, root) * (1.0 + np.trace(told[k]))  # larger than any other eigenvalue
        ties = TIES * np.diag(np.arange(len(p), dtype=np.float64))  # else contrasts told of alike are any rotation
        out[k] = np.ascontiguousarray(np.linalg.eigh(told[k] + first + ties)[1][:, ::-1])
    return out


def chance(made: Floats, margins: Sequence[Floats], bases: Sequence[Floats], *, rows: float, sigma: float) -> Floats:
    """Variance of every contrast of a table counted on so many rows of the pool's law, with noise in its counts.

    Args:
        made: shares of the cells. **Shape**: (K,) or (K_1, K_2).
        margins: those of its columns.
        bases: contrasts of its columns.
        rows: rows that were counted.
        sigma: standard deviation of the noise in a count.

    **Shape**: -> as `made`.
    """
    squares = [u**2 for u in bases]
    per_cell = _over_root(_over_root(made, margins), margins)
    expected = _contrasts(made, margins, bases)
    sampled = (_rotated(per_cell, squares) - expected**2) / rows
    seen = _over_root(_over_root(np.ones_like(made), margins), margins)
    return np.asarray(np.clip(sampled, 0.0, None) + _rotated(seen, squares) * (sigma / rows) ** 2)


def _margins(pool: Sequence[Floats], tables: Sequence[tuple[int, ...]]) -> dict[int, Floats]:
    """Shares of the levels of each column, from the first table that has it."""
    out: dict[int, Floats] = {}
    for made, columns in zip(pool, tables, strict=True):
        for axis, k in enumerate(columns):
            if k not in out:
                out[k] = made if made.ndim == 1 else made.sum(axis=1 - axis)
    return out


def _rotated(cells: Floats, bases: Sequence[Floats]) -> Floats:
    """Cells in other coordinates along each axis. **Shape**: (K_1, K_2) or (K,) -> the same."""
    first = bases[0].T @ cells
    return np.asarray(first if len(bases) == 1 else first @ bases[1])


def _root(margins: Sequence[Floats]) -> Floats:
    """Square root of the product of margins in every cell."""
    return np.asarray(np.sqrt(margins[0] if len(margins) == 1 else np.outer(margins[0], margins[1])))


def _over_root(cells: Floats, margins: Sequence[Floats]) -> Floats:
    """Cells over the root of the product of their margins; 0 where the pool has no rows."""
    root = _root(margins)
    return np.divide(cells, root, out=np.zeros_like(root), where=root > 0)


def _contrasts(cells: Floats, margins: Sequence[Floats], bases: Sequence[Floats]) -> Floats:
    """Contrasts of cells. **Shape**: (K_1, K_2) or (K,) -> the same."""
    return _rotated(_over_root(cells, margins), bases)


def _deviations(contrasts: Floats, margins: Sequence[Floats], bases: Sequence[Floats]) -> Floats:
    """Cells of contrasts: the inverse of `_contrasts` where the pool has rows."""
    return np.asarray(_rotated(contrasts, [u.T for u in bases]) * _root(margins))
