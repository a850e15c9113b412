"""What noise and clipping do to tables of counts of steps that are told together: closed forms on imagined units."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import erf

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.slot_counts import MeasuredCounts, Scope
from synthkit.encoding.units.step_contexts import EVENTS, OWNER, UNIT, FlatSteps
from synthkit.models.marginal.budget_schedule import Rounds
from synthkit.models.marginal.pooled_levels import Pooled
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.models.unit_marginal.model import told_pairs
from synthkit.planning.imagined_access import IMAGINED_SEED, ImaginedAccess
from synthkit.privacy.access.counts import noise_scale
from synthkit.privacy.access.unit_counts import CLIP_SHARE, CLIPPED_AT, UnitCounting, UnitTables, table_weights
from synthkit.privacy.mechanisms.stacked_counts import COUNT_GRID, StackedCounts

POOLED_DRAWS = 4  # of the noise by which levels are pooled
TINIEST = 1e-15  # of a share: below there is no noise
ALONE, FOLLOWING, BESIDE = "one column", "after what came before", "beside its unit and owner"  # what tables are of


@dataclass(frozen=True, kw_only=True)
class ExpectedTables:
    """What is expected of tables of counts of one kind.

    Args:
        part: table whose rows are counted, or what happens at all.
        kind: what the tables are of.
        tables: how many are told.
        cells: mean number of cells.
        sigma: standard deviation of the noise of a cell, in rows.
        clip: norm to which a unit is clipped, in rows of this part.
        error: mean total variation between a table as it is told and as it is, from 0 to above 1 where noise rules.
        largest: the same of the table that is worst off.
        column: which column that is of.
    """

    part: str
    kind: str
    tables: int
    cells: float
    sigma: float
    clip: float
    error: float
    largest: float
    column: str


def expected_steps(access: ImaginedAccess) -> list[ExpectedTables]:
    """Tables of one column, of a column after what came before it, and of a column beside unit and owner.

    As a fit asks for them: tables of one column of all parts together, then those of what came before, then rounds of
    others, of which the mean price is taken. Levels too rare for the noise are pooled after the first tables, whose
    noise is drawn a few times for that; errors are over all levels.

    Args:
        access: imagined units as a run counts them, with its prices.
    """
    flats = {name: access.flat(name) for name in access.parts}
    plain = {name: _Pools.none(each.sizes) for name, each in access.parts.items()}
    plans = {name: _plan(name, flats[name], each.rho) for name, each in access.parts.items()}
    asked = {n: UnitTables(counting=c, scopes=_singles(flats[n]), rho=plans[n].single) for n, c in access.parts.items()}
    told = _told(asked, plain, access)
    plans = {n: _gathered(plans[n], told[n][0].sigma, len(c.owner) * access.scale) for n, c in access.parts.items()}
    rng = np.random.default_rng(IMAGINED_SEED)
    draws = []
    for _ in range(POOLED_DRAWS):
        pools = {
            name: _Pools.of(each, flats[name], told[name][0].sigma, access.scale, rng)
            for name, each in access.parts.items()
        }
        draws.append(_pairs(access, flats, plans, pools))
    alone = [_summed(name, ALONE, _own(found, flats[name]), access) for name, found in told.items()]
    others = [_mean(found) for found in zip(*draws, strict=True)]
    return sorted([*alone, *others], key=lambda each: list(access.parts).index(each.part))


def _plan(name: str, flat: FlatSteps, rho: float) -> Rounds:
    """What a fit asks of one flat table, and the prices."""
    return Rounds.of(flat.mixed_sizes, rho, UnitMarginalConfig().split(), told_pairs(flat, first=name == EVENTS))


def _gathered(plan: Rounds, sigma: float, rows: float) -> Rounds:
    """The plan once the noise on the first tables has told what one unit brings, as a fit goes on with it."""
    return plan.affordable(sigma * math.sqrt(2 * plan.single) / max(rows, 1.0))


def _pairs(
    access: ImaginedAccess, flats: Mapping[str, FlatSteps], plans: Mapping[str, Rounds], pools: Mapping[str, _Pools]
) -> list[ExpectedTables]:
    """Tables of two columns, once it is known which levels are told together."""
    pooled = {name: each.pooled(pools[name].groups) for name, each in access.parts.items()}
    known = {n: UnitTables(counting=c, scopes=plans[n].known, rho=plans[n].pair) for n, c in pooled.items()}
    beside = {n: _beside(c, flats[n], plans[n]) for n, c in pooled.items()}
    out = []
    for kind, asked in ((FOLLOWING, known), (BESIDE, beside)):
        found = _told({n: each for n, each in asked.items() if each.scopes}, pools, access)
        out += [_summed(name, kind, _own(tables, flats[name]), access) for name, tables in found.items()]
    return out


def _own(found: Sequence[_Expected], flat: FlatSteps) -> list[_Expected]:
    """Tables with a column that is drawn."""
    return [each for each in found if each.scope[0] < len(flat.own)]


def _mean(found: Sequence[ExpectedTables]) -> ExpectedTables:
    """The mean of what was expected of the same tables several times."""
    means = {k: float(np.mean([getattr(each, k) for each in found])) for k in ("cells", "sigma", "clip", "error")}
    worst = max(found, key=lambda each: each.largest)
    return replace(worst, **means)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class _Pools:
    """Levels of the slots of a flat table that are told together.

    Args:
        groups: group of each level. **Shape**: (K_j,) a slot.
        within: share of each level in its group, as it was told. **Shape**: (K_j,) a slot.
    """

    groups: Sequence[Ints]
    within: Sequence[Floats]

    @classmethod
    def none(cls, sizes: Sequence[int]) -> _Pools:
        """Each level by itself."""
        return cls(groups=[np.arange(k) for k in sizes], within=[np.ones(k) for k in sizes])

    @classmethod
    def of(cls, each: UnitCounting, flat: FlatSteps, sigma: float, scale: float, rng: np.random.Generator) -> _Pools:
        """Levels that are too rare for the noise, as a fit pools them after its first tables.

        Args:
            each: imagined steps.
            flat: their columns.
            sigma: standard deviation of the noise on a count, in rows.
            scale: rows that an imagined one stands for.
            rng: of the noise.
        """
        plain = cls.none(each.sizes)
        groups, within = list(plain.groups), list(plain.within)
        for j in range(flat.mixed):
            counts = np.bincount(each.tables.cells((j,)), minlength=each.sizes[j]) * scale
            noisy = counts + sigma * rng.standard_normal(len(counts))
            pool = Pooled.of(MeasuredCounts(scope=(j,), counts=noisy, sigma=sigma))
            groups[j], within[j] = pool.group, pool.within
        return cls(groups=groups, within=within)

    def spread(self, table: Floats, scope: Scope) -> Floats:
        """A table of groups over all levels. **Shape**: (G_1, G_2, ...) -> (K_1 K_2 ...,)."""
        out = table[np.ix_(*(self.groups[j] for j in scope))]
        return np.asarray((out * self._shares(scope)).ravel())

    def _shares(self, scope: Scope) -> Floats:
        return np.asarray(functools.reduce(np.multiply.outer, [self.within[j] for j in scope]))

    def noise(self, scope: Scope) -> Floats:
        """Part of the noise of its group that each cell has. **Shape**: -> (K_1 K_2 ...,)."""
        return self._shares(scope).ravel()


@dataclass(frozen=True, kw_only=True)
class _Expected:
    """One table."""

    scope: Scope
    cells: int
    sigma: float
    clip: float
    error: float


def _told(
    asked: Mapping[str, UnitTables], pools: Mapping[str, _Pools], access: ImaginedAccess
) -> dict[str, list[_Expected]]:
    """Tables that are told together, by part; see `measured_together`."""
    if not asked:
        return {}
    parts = list(asked.values())
    weights = table_weights(parts)
    stack = [each.counting.counted(scope, w) for each, w in zip(parts, weights, strict=True) for scope in each.scopes]
    norms = StackedCounts.norms(stack, access.imagined)
    norm = max(float(np.quantile(norms[norms > 0], CLIPPED_AT)) if norms.any() else 0.0, min(weights))
    whole = math.fsum(each.rho * len(each.scopes) for each in parts)
    counts = StackedCounts(norm=norm, noise_multiplier=noise_scale((1 - CLIP_SHARE) * whole))
    clipped, out = iter(counts.clipped(stack)), {}
    for (name, each), w in zip(asked.items(), weights, strict=True):
        whose = access.parts[name]
        out[name] = [
            _Expected(
                scope=scope,
                cells=len(found),
                sigma=counts.sigma / w,
                clip=norm / w,
                error=_missed(
                    whose, each.counting, scope, found / COUNT_GRID / w, pools[name], counts.sigma / w / access.scale
                ),
            )
            for scope, found in zip(each.scopes, clipped, strict=False)
        ]
    return out


def _missed(
    whose: UnitCounting, pooled: UnitCounting, scope: Scope, clipped: Floats, pools: _Pools, sigma: float
) -> float:
    """How far the shares of a table over all levels are off: by clipping, pooling and noise, in imagined rows."""
    exact = np.bincount(whose.tables.cells(scope), minlength=math.prod(whose.sizes[j] for j in scope))
    rows = max(float(clipped.sum()), 1.0)
    told = pools.spread(clipped.reshape([pooled.sizes[j] for j in scope]), scope)
    return off_target(told / rows - exact / max(exact.sum(), 1), pools.noise(scope) * sigma / rows)


def off_target(bias: Floats, sigma: Floats) -> float:
    r"""Expected total variation of shares with a bias and normal noise: half the sum of means of folded normals.

    $\frac{1}{2} \sum_c \sigma \sqrt{2 / \pi} e^{-b_c^2 / 2 \sigma^2} + b_c \, \mathrm{erf}(b_c / \sigma \sqrt{2})$.

    Args:
        bias: of the share of each cell. **Shape**: (cells,).
        sigma: standard deviation of the noise on it, above 0. **Shape**: (cells,).

    Example:
        >>> from synthkit.planning.expected_error import off
        >>> round(off_target(np.zeros(100), np.full(100, 0.001)), 5) == round(off(100, 10.0, 10_000), 5)
        True
    """
    z = bias / np.maximum(sigma, TINIEST)
    mean = math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2) + z * erf(z / math.sqrt(2))
    return float(0.5 * (np.maximum(sigma, TINIEST) * mean).sum())


def _singles(flat: FlatSteps) -> tuple[Scope, ...]:
    return tuple((j,) for j in range(flat.mixed))


def _beside(each: UnitCounting, flat: FlatSteps, plan: Rounds) -> UnitTables:
    """Tables of own columns beside those of unit and owner, as many as a round tells, at the mean price of a round."""
    near = [len(flat.own) + k for k, c in enumerate(flat.contexts) if c.source == UNIT or c.source.startswith(OWNER)]
    every = [(j, k) for j in range(len(flat.own)) for k in near]
    many = plan.rounds[0].many if plan.rounds else 0
    scopes = [every[i * len(every) // many] for i in range(many)] if every else []
    rho = 1 / float(np.mean([r.told**-0.5 for r in plan.rounds])) ** 2 if plan.rounds else 0.0
    return UnitTables(counting=each, scopes=scopes, rho=rho)


def _summed(part: str, kind: str, found: Sequence[_Expected], access: ImaginedAccess) -> ExpectedTables:
    worst = max(found, key=lambda each: each.error)
    return ExpectedTables(
        part=part,
        kind=kind,
        tables=len(found),
        cells=float(np.mean([each.cells for each in found])),
        sigma=float(np.mean([each.sigma for each in found])),
        clip=float(np.mean([each.clip for each in found])),
        error=float(np.mean([each.error for each in found])),
        largest=worst.error,
        column=_column(part, worst.scope[0], access),
    )


def _column(part: str, slot: int, access: ImaginedAccess) -> str:
    """The column that an own slot of a flat table is of."""
    if part == EVENTS:
        return ("type", "gap")[slot]
    layout, at = access.contexts.layout.payloads[part], access.flat(part).slots[slot]
    return next(column for column in layout.columns if at in layout.slots_of(column))
