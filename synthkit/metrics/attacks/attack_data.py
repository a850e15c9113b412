"""The data of an attack, prepared once for all attacks: synthetic rows, reference rows and targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.stats.binning import Binning
from synthkit.metrics.stats.distances import DistanceSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.schema import Schema

ATTACK_NEIGHBOURS = 20
MAX_ATTACKED_ROWS = 100_000  # synthetic rows that are looked at
ATTACK_BINS, ATTACK_LEVELS = 10, 30


@dataclass(frozen=True, kw_only=True)
class AttackData:
    """The three tables of an attack in the forms attacks need.

    Args:
        schema: meaning of the columns.
        synthetic: rows an attacker was given.
        reference: rows of the population, of nobody who was trained on or is attacked.
        targets: rows of the people who are attacked.
        binning: cuts fitted on the reference.
        near: distances of targets to their nearest synthetic rows. **Shape**: (n, k), ascending.
        near_reference: distances to their nearest reference rows. **Shape**: (n, k).
        space: in which distances are measured.
    """

    schema: Schema
    synthetic: pd.DataFrame
    reference: pd.DataFrame
    targets: pd.DataFrame
    binning: Binning
    near: NDArray[np.float32]
    near_reference: NDArray[np.float32]
    space: DistanceSpace

    @classmethod
    def of(
        cls,
        synthetic: pd.DataFrame,
        reference: pd.DataFrame,
        targets: pd.DataFrame,
        schema: Schema,
        rng: np.random.Generator,
    ) -> AttackData:
        """Measure what attacks have in common; nothing here looks at who was trained on."""
        if len(synthetic) > MAX_ATTACKED_ROWS:
            synthetic = synthetic.iloc[np.sort(rng.choice(len(synthetic), MAX_ATTACKED_ROWS, replace=False))]
        space = DistanceSpace.fit(pd.concat([reference, targets], ignore_index=True), schema)
        at = space.coordinates(targets)
        return cls(
            schema=schema,
            synthetic=synthetic,
            reference=reference,
            targets=targets,
            binning=Binning.fit(reference, schema, bins=ATTACK_BINS, levels=ATTACK_LEVELS),
            near=_nearest(space, at, synthetic),
            near_reference=_nearest(space, at, reference),
            space=space,
        )

    def with_copies(self, copies: pd.DataFrame) -> AttackData:
        """The data if the synthetic rows held these too; only distances to them are measured anew."""
        added = _nearest(self.space, self.space.coordinates(self.targets), copies)
        near = np.sort(np.concatenate([self.near, added], axis=1), axis=1)[:, : self.near.shape[1]]
        return replace(self, synthetic=pd.concat([self.synthetic, copies], ignore_index=True), near=near)


def _nearest(space: DistanceSpace, at: NDArray[np.float32], points: pd.DataFrame) -> NDArray[np.float32]:
    return space.nearest(at, space.coordinates(points), min(ATTACK_NEIGHBOURS, len(points)))[0]
