"""Secrets and prior knowledge of attribute inference: what is guessed, what is known, when a guess is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.metrics.stats.binning import Binning, numbers
from synthkit.metrics.stats.distances import DistanceSpace
from synthkit.schema.columns import Discrete, level_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.schema import Schema

GUESS_TOLERANCE = 0.05  # of the distance between the 5th and the 95th centile
TOLERANCE_SLACK = 1e-9  # of the tolerance: what arithmetic may lose


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A column somebody would like to learn.

    Args:
        name: of the column.
        keys: its levels, if it has levels; a value is then the number of its level.
        tolerance: distance at which a guessed quantity is still right.
    """

    name: str
    keys: pd.Index | None
    tolerance: float = 0.0

    @classmethod
    def of(cls, name: str, schema: Schema, reference: pd.DataFrame, others: Sequence[pd.DataFrame]) -> Secret:
        """The secret with all levels that occur in `reference` and `others`; the tolerance is that of `reference`."""
        if isinstance(schema.columns[name], Discrete):
            found = {key for frame in (reference, *others) for key in level_keys(frame[name].dropna()).unique()}
            return cls(name=name, keys=pd.Index(sorted(found, key=str), dtype=object))
        x = numbers(reference[name])
        x = x[~np.isnan(x)]
        if not len(x):
            msg = f"a guess of `{name}` needs people whose `{name}` is known; however: no reference row has one"
            raise MetricError(msg)
        low, high = np.quantile(x, [0.05, 0.95])
        return cls(name=name, keys=None, tolerance=float(GUESS_TOLERANCE * (high - low)))

    @property
    def classes(self) -> int:
        """Number of levels; 0 for a quantity."""
        return 0 if self.keys is None else len(self.keys)

    def values(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Level numbers or quantities, nan where missing. **Shape**: n rows -> (n,)."""
        if self.keys is None:
            return numbers(frame[self.name])
        codes = self.keys.get_indexer(level_keys(frame[self.name]))
        return np.where(codes < 0, np.nan, codes)

    def right(self, guesses: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each guess is right; none made (nan) is not. **Shape**: (n,), (n,) -> (n,).

        A level must be met. Of a quantity |guess - truth| <= 0.05 (Q95 - Q5) of people not in the data: a distance
        relative to the guess or to the truth would count guesses near 0, or below it, as they come.
        """
        if self.keys is not None:
            return np.asarray(guesses == truth)
        return np.asarray(np.abs(guesses - truth) <= self.tolerance * (1 + TOLERANCE_SLACK))

    def groups(self, frame: pd.DataFrame, reference: pd.DataFrame, schema: Schema) -> dict[str, NDArray[np.bool_]]:
        """People by their level, or the tenth of the reference their quantity is in. **Shape**: n rows -> (n,) each."""
        part = only(schema, [self.name])
        cuts = Binning.fit(reference, part, levels=len(reference) + 1).cuts[self.name]
        codes = cuts.codes(frame[self.name])
        known = range(cuts.size - 3)  # the last three are other, missing and novel
        return {cuts.labels[code]: codes == code for code in known}


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What an attacker knows about the people he attacks.

    Args:
        schema: of the columns he knows, and no other.
        reference: rows of people neither attacked nor trained on.
        targets: rows of the people he attacks.
        space: distances by what he knows.
        at: where the targets lie in it.
    """

    schema: Schema
    reference: pd.DataFrame
    targets: pd.DataFrame
    space: DistanceSpace
    at: NDArray[np.float32]

    @classmethod
    def of(cls, names: Sequence[str], schema: Schema, reference: pd.DataFrame, targets: pd.DataFrame) -> Knowledge:
        """Knowledge of the columns `names`; nothing here looks at who was trained on."""
        known = only(schema, names)
        space = DistanceSpace.fit(pd.concat([reference, targets], ignore_index=True), known)
        return cls(schema=known, reference=reference, targets=targets, space=space, at=space.coordinates(targets))

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that are known."""
        return self.schema.described


def only(schema: Schema, names: Sequence[str]) -> Schema:
    """The schema of some of the columns, in the order of the schema, without roles and rules."""
    columns = {name: column for name, column in schema.columns.items() if name in names}
    bare = {"unit": None, "quasi_identifiers": (), "secrets": (), "protected": (), "targets": (), "rules": ()}
    return schema.model_copy(update={**bare, "columns": columns})
