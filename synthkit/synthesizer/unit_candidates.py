"""Units that are drawn several times over, so that a key can choose which of them is released."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.encoding.units.chosen_units import chosen_units
from synthkit.schema.linked.resolved_tables import ResolvedTables

if TYPE_CHECKING:
    from synthkit.encoding.arrays import Ints
    from synthkit.encoding.units.drawn_units import DrawnUnits
    from synthkit.encoding.units.unit_encoder import UnitEncoder
    from synthkit.schema.linked import LinkedSchema
    from synthkit.watermark import UnitWatermarkKey

Drawn = tuple[pd.DataFrame, "DrawnUnits"]  # learned columns of units, and everything below them


def parted(made: Drawn, parts: int, schema: LinkedSchema) -> list[Drawn]:
    """Units that were drawn together as several draws of equally many, the first ones first."""
    roots, drawn = made
    many = len(roots) // parts
    numbers = [np.arange(k * many, (k + 1) * many) for k in range(parts)]
    none = np.zeros(many, dtype=np.int64)
    return [(roots.iloc[each].reset_index(drop=True), chosen_units([drawn], none, each, schema)) for each in numbers]


def marked_units(
    made: Sequence[Drawn],
    decoded: Callable[[Drawn], Mapping[str, pd.DataFrame]],
    encoder: UnitEncoder,
    key: UnitWatermarkKey,
    rng: np.random.Generator,
) -> Drawn:
    """Units each taken from the draw that a key chooses.

    Args:
        made: as many draws of equally many units as the key has candidates.
        decoded: tables of such a draw, as they would be released but for fresh keys.
        encoder: the coding.
        key: of the watermark.
        rng: of what is left to chance.

    Raises:
        SchemaError: columns of the key are not there.
    """
    from synthkit.watermark import choose_units

    units = np.arange(len(made[0][0]))
    frames, of = _stacked([decoded(each) for each in made], encoder, len(units))
    which = choose_units(frames, of, len(units) * len(made), key, rng)
    every = pd.concat([roots for roots, _ in made], ignore_index=True)
    roots = every.iloc[which * len(units) + units].reset_index(drop=True)
    return roots, chosen_units([drawn for _, drawn in made], which, units, encoder.schema)


def _stacked(
    tables: list[Mapping[str, pd.DataFrame]], encoder: UnitEncoder, many: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Ints]]:
    """Rows of all draws one below the other, by table, and the unit that each belongs to, counted through."""
    frames, units = {}, {}
    resolved = [ResolvedTables(each, encoder.schema) for each in tables]
    for name in encoder.schema.graph.records:
        frames[name] = pd.concat([each[name] for each in tables], ignore_index=True)
        units[name] = np.concatenate([each.units(name) + k * many for k, each in enumerate(resolved)])
    return frames, units
