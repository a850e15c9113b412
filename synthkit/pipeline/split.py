"""Who is trained on: each unit draws a role and, in the pool, a coin, independently of every other unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import TableError
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.stats.distances import DistanceSpace
from synthkit.schema.unit_keys import unit_codes, unit_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.schema import Schema

ROLES = ("train", "pool", "reference", "test")
FEWEST_UNITS = 40
POOL_SHARE, TEST_SHARE = 0.18, 0.09  # shares of a small table
NEIGHBOURS = 5
_POINTS = 20_000  # rows among which neighbours are sought; a larger table is sub-sampled


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Public probabilities of the four roles.

    Args:
        train: trained on, never attacked.
        pool: trained on if its coin says so; the control group of every privacy measurement.
        reference: what an attacker might know of the population; never trained on.
        test: never trained on; with the pool's other half the yardstick of utility.
    """

    train: float
    pool: float
    reference: float
    test: float

    @classmethod
    def of(cls, units: int) -> Shares:
        """Default shares for a table of `units` units.

        Expected pool m = min(10,000, .18 N), reference m/2, test .09 N, the rest train only: with the pool's heads 73 %
        are fitted, so that chance leaves 70 % of a table of a few hundred too, and more of a large one. Under a budget
        N must be a public constant, not the length of the table.

        Example:
            >>> round(Shares.of(1_384).fitted, 3), round(Shares.of(200_000).fitted, 3)
            (0.73, 0.86)
        """
        pool = min(10_000 / max(units, 1), POOL_SHARE)
        return cls(train=1 - 1.5 * pool - TEST_SHARE, pool=pool, reference=pool / 2, test=TEST_SHARE)

    @property
    def fitted(self) -> float:
        """Share that is trained on: all of `train`, and the half of the pool whose coin says so."""
        return self.train + self.pool / 2

    def __post_init__(self) -> None:
        given = [getattr(self, role) for role in ROLES]
        if min(given) < 0 or not np.isclose(sum(given), 1):
            msg = f"shares must be at least 0 and sum to 1; however: {', '.join(f'{g:g}' for g in given)}"
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class Split:
    """A table and who of it is trained on; INTERNAL.

    Args:
        frame: the table.
        unit: (rows,) position of each row's unit in `roles`.
        roles: one row a unit: `unit` (as its first row spells it, or the row's number from 0), `role`, `coin`
            (trained on; missing outside the pool), `isolated` (in the pool's more isolated half; missing outside it).
    """

    frame: pd.DataFrame
    unit: NDArray[np.int64]
    roles: pd.DataFrame

    @classmethod
    def from_roles(cls, frame: pd.DataFrame, schema: Schema, roles: pd.DataFrame) -> Split:
        """The split of a table whose roles were saved.

        Raises:
            TableError: a unit of the table has no role, or a role belongs to no unit of the table.
        """
        keys, unit = _units(frame, schema)
        saved = roles["unit"] if schema.unit is None else unit_keys(roles["unit"], schema.columns[schema.unit])
        position = pd.Index(saved).get_indexer(keys)
        if (position < 0).any() or len(roles) != len(keys):
            msg = (
                f"roles must belong to the table they were drawn for; however: {int((position < 0).sum())} of "
                f"{len(keys)} units have no role and there are {len(roles)} roles. Use the table of that run"
            )
            raise TableError(msg)
        return cls(frame=frame, unit=unit, roles=roles.iloc[position].reset_index(drop=True))

    def people(self) -> dict[str, int]:
        """How many units have each role, those of the pool by their coin."""
        coin, role = self.roles["coin"].fillna(value=False).to_numpy(dtype=bool), self.roles["role"].to_numpy()
        parts = {name: int((role == name).sum()) for name in ROLES if name != "pool"}
        inside = int(coin.sum())
        return {
            "units": len(role),
            **parts,
            "pool trained on": inside,
            "pool held out": int((role == "pool").sum()) - inside,
        }

    def isolating(self, schema: Schema, rng: np.random.Generator) -> Split:
        """The same roles and coins, with the more isolated half of the pool marked; see `split`."""
        pool = (self.roles["role"] == "pool").to_numpy()
        isolated = pd.arrays.BooleanArray(_isolated(self.frame, schema, self.unit, pool, rng), ~pool)
        return replace(self, roles=self.roles.assign(isolated=isolated))

    @property
    def pool(self) -> NDArray[np.bool_]:
        """(rows,) bool: rows of pool units."""
        return self._with("pool")

    @property
    def reference(self) -> NDArray[np.bool_]:
        """(rows,) bool: rows of reference units."""
        return self._with("reference")

    @property
    def test(self) -> NDArray[np.bool_]:
        """(rows,) bool: rows of test units."""
        return self._with("test")

    @property
    def heads(self) -> NDArray[np.bool_]:
        """(rows,) bool: rows of pool units that are trained on."""
        return np.asarray(self.roles["coin"].fillna(value=False).to_numpy(dtype=bool)[self.unit])

    @property
    def isolated(self) -> NDArray[np.bool_]:
        """(rows,) bool: rows of the more isolated half of the pool."""
        return np.asarray(self.roles["isolated"].fillna(value=False).to_numpy(dtype=bool)[self.unit])

    @property
    def train(self) -> NDArray[np.bool_]:
        """(rows,) bool: rows that are trained on."""
        return self._with("train") | self.heads

    @property
    def holdout(self) -> NDArray[np.bool_]:
        """(rows,) bool: rows of the pool and the test role that are not trained on."""
        return (self.pool & ~self.heads) | self.test

    def train_frame(self) -> pd.DataFrame:
        """Rows that are trained on."""
        return self.rows(self.train)

    def holdout_frame(self) -> pd.DataFrame:
        """Rows of the pool and the test role that are not trained on."""
        return self.rows(self.holdout)

    def reference_frame(self) -> pd.DataFrame:
        """Rows of the reference role."""
        return self.rows(self.reference)

    def attacked(self) -> AttackTargets:
        """The pool, for an evaluation that attacks it."""
        codes, number = np.unique(self.unit[self.pool], return_inverse=True)
        roles = self.roles.iloc[codes]
        return AttackTargets(
            frame=self.rows(self.pool),
            unit=number.astype(np.int64),
            member=roles["coin"].to_numpy(dtype=bool),
            isolated=roles["isolated"].to_numpy(dtype=bool),
            reference=self.reference_frame(),
        )

    def rows(self, mask: NDArray[np.bool_]) -> pd.DataFrame:
        """Rows of the table where `mask` is true, numbered from 0."""
        return self.frame.loc[mask].reset_index(drop=True)

    def _with(self, role: str) -> NDArray[np.bool_]:
        return np.asarray((self.roles["role"] == role).to_numpy()[self.unit])


def split(
    frame: pd.DataFrame,
    schema: Schema,
    rng: np.random.Generator,
    *,
    shares: Shares | None = None,
    before: Sequence[Split] = (),
) -> Split:
    """Draw roles and coins.

    Every unit draws by itself, so that who is trained on depends on nobody's data (sizes are random). Inside the
    pool the more isolated half is marked for scoring: isolation is the largest, over the unit's rows, mean distance
    to the 5 nearest rows of other units in the whole table, of which at most 20,000 rows, drawn at random, are
    looked at. It changes no role and no coin.

    Args:
        frame: the table, in canonical dtypes.
        schema: its meaning; `unit` names the column of the person.
        rng: `synthkit.runtime.seeds.system_generator()` in a real run; roles and coins are never derived from a seed.
        shares: probabilities of the roles; `Shares.of(number of units)` if not given.
        before: splits of the same table for earlier fits. Who was in the pool of one of them is in no other: all have
            the same chance to be in each, and nobody's coin is drawn twice.

    Raises:
        TableError: rows without a unit, or fewer than 40 units.

    References:
        Steinke, Nasr, Jagielski, "Privacy auditing with one (1) training run", 2023: one fair coin a unit.
    """
    keys, unit = _units(frame, schema)
    if len(keys) < FEWEST_UNITS:
        msg = (
            f"a table is split from {FEWEST_UNITS} units on; however: it has {len(keys)}. "
            "Fit without a split (`synthkit fit`), or bring more rows"
        )
        raise TableError(msg)
    shares = shares or Shares.of(len(keys))
    return _drawn(frame, schema, keys, unit, _roles(len(keys), shares, before, rng), rng).isolating(schema, rng)


def draw_roles(
    frame: pd.DataFrame, schema: Schema, rng: np.random.Generator, *, shares: Shares, before: Sequence[Split] = ()
) -> Split:
    """Draw roles and coins alone, of any number of units and whatever their cells; nobody is marked as isolated.

    Args:
        frame: the table, in canonical dtypes.
        schema: its meaning; `unit` names the column of the person.
        rng: `synthkit.runtime.seeds.system_generator()` in a real run.
        shares: probabilities of the roles.
        before: splits of the same table for earlier fits, as for `split`.

    Raises:
        TableError: rows without a unit.
    """
    keys, unit = _units(frame, schema)
    return _drawn(frame, schema, keys, unit, _roles(len(keys), shares, before, rng), rng)


def _drawn(
    frame: pd.DataFrame,
    schema: Schema,
    keys: pd.Index,
    unit: NDArray[np.int64],
    role: NDArray[np.str_],
    rng: np.random.Generator,
) -> Split:
    """The split of units whose roles are drawn: those of the pool draw their coins."""
    outside = role != "pool"
    roles = pd.DataFrame(
        {
            "unit": keys
            if schema.unit is None
            else frame[schema.unit].iloc[np.unique(unit, return_index=True)[1]].array,
            "role": role.astype(object),
            "coin": pd.arrays.BooleanArray(rng.random(len(keys)) < 0.5, outside),
            "isolated": pd.arrays.BooleanArray(np.zeros(len(keys), dtype=bool), np.ones(len(keys), dtype=bool)),
        }
    )
    return Split(frame=frame, unit=unit, roles=roles)


def _roles(units: int, shares: Shares, before: Sequence[Split], rng: np.random.Generator) -> NDArray[np.str_]:
    """(units,) roles, each drawn by itself: the pool among those never in one, with s / (1 - k s) after k fits."""
    attacked = np.zeros(units, dtype=bool)
    for earlier in before:
        attacked |= (earlier.roles["role"] == "pool").to_numpy()
    left = 1 - len(before) * shares.pool
    pool = np.where(attacked, 0.0, min(1.0, shares.pool / left) if left > 1e-9 else 0.0)
    p = np.array([[getattr(shares, role) for role in ROLES]]) * ((1 - pool) / max(1 - shares.pool, 1e-9))[:, None]
    p[:, ROLES.index("pool")] = pool
    ends = p.cumsum(axis=1)
    drawn = (rng.random(units)[:, None] >= ends / ends[:, -1:]).sum(axis=1)
    return np.asarray(np.array(ROLES)[drawn])


def _units(frame: pd.DataFrame, schema: Schema) -> tuple[pd.Index, NDArray[np.int64]]:
    """Keys of the units in order of first appearance, and each row's position among them."""
    codes, keys = unit_codes(frame, schema)
    if (codes < 0).any():
        msg = (
            f"every row must name its unit in `{schema.unit}`; however: {int((codes < 0).sum())} rows do not. "
            "Fill the cells or drop the rows"
        )
        raise TableError(msg)
    return keys, codes


def _isolated(
    frame: pd.DataFrame, schema: Schema, unit: NDArray[np.int64], pool: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(units,) bool: the half of the pool units with the largest isolation; ties are broken at random."""
    marked = np.zeros(len(pool), dtype=bool)
    rows = np.flatnonzero(pool[unit])
    if not len(rows):
        return marked
    among = np.arange(len(frame)) if len(frame) <= _POINTS else rng.choice(len(frame), _POINTS, replace=False)
    space = DistanceSpace.fit(frame, schema)
    k = min(NEIGHBOURS, len(among))
    distances, _ = space.nearest(
        space.coordinates(frame.iloc[rows]),
        space.coordinates(frame.iloc[among]),
        k,
        query_groups=unit[rows],
        point_groups=unit[among],
    )
    score = np.full(len(pool), -np.inf)
    np.maximum.at(score, unit[rows], distances.mean(axis=1, dtype=float))
    units = np.flatnonzero(pool)
    order = units[np.lexsort((rng.random(len(units)), score[units]))]
    marked[order[len(units) - len(units) // 2 :]] = True
    return marked
