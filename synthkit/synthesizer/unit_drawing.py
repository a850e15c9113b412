"""Draws of new units with everything that belongs to them, as tables, with or without a watermark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.encoding.units.root_facts import RootFacts
from synthkit.encoding.units.unit_decoder import decode_units
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.models.unit_base import UnitModel
from synthkit.runtime.seeds import Seeds
from synthkit.synthesizer.catalogue_keys import with_known_keys
from synthkit.synthesizer.given_keys import with_keys
from synthkit.synthesizer.linked_completion import KnownUnits
from synthkit.synthesizer.rule_sampling import sample_valid_rows
from synthkit.synthesizer.unit_candidates import Drawn, marked_units, parted

if TYPE_CHECKING:
    from synthkit.watermark import UnitWatermarkKey

Drawing = Callable[[int, int], None]  # told how many rows are drawn, and how many there are


@dataclass(frozen=True, kw_only=True)
class UnitDrawing:
    """Draws units from a fitted model.

    Args:
        encoder: the coding.
        model: the fitted model.
        shared: rows of tables that units share.
        references: public catalogues.
        seeds: of all draws.
        known: what is known of the units, None for nothing.
        progress: called with how many of the rows right below the units are drawn, and how many there are.
    """

    encoder: UnitEncoder
    model: UnitModel
    shared: Mapping[str, pd.DataFrame]
    references: Mapping[str, pd.DataFrame]
    seeds: Seeds
    known: KnownUnits | None = None
    progress: Drawing | None = None

    def tables(self, units: int, watermark: UnitWatermarkKey | None = None) -> dict[str, pd.DataFrame]:
        """Tables of so many units, each chosen among several draws where there is a watermark.

        Raises:
            SchemaError: columns of the key are not there.
        """
        if watermark is None:
            return self._decoded(self._drawn(units, self.seeds), self.seeds.numpy("keys"))
        made = marked_units(
            self._candidates(units, watermark.candidates),
            lambda each: self._decoded(each, self.seeds.numpy("candidates")),
            self.encoder,
            watermark,
            self.seeds.numpy("watermark"),
        )
        return self._decoded(made, self.seeds.numpy("keys"))

    def _decoded(self, made: Drawn, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Tables of units that are drawn, with keys."""
        roots, drawn = made
        schema, known = self.encoder.schema, self.known
        if known is not None:
            roots = with_keys(roots, known.keys, schema, self.seeds.numpy("keys of units"))
        told = {} if known is None else known.told(drawn)
        decoded = decode_units(self.encoder, roots, drawn, rng, self.shared, told)
        return with_known_keys(decoded, self.references, schema)

    def _candidates(self, units: int, many: int) -> list[Drawn]:
        """Several draws of as many units: all at once, which is faster, where nothing is known of them."""
        if self.known is None:
            return parted(self._drawn(units * many, self.seeds), many, self.encoder.schema)
        return [self._drawn(units, Seeds(self.seeds.of(f"candidate {k}"))) for k in range(many)]

    def _drawn(self, units: int, seeds: Seeds) -> Drawn:
        """Learned columns of units, and everything below them, still encoded."""
        encoder, model, known = self.encoder, self.model, self.known
        if known is None:
            roots = sample_valid_rows(units, encoder.root, model.root, seeds)
        else:
            roots = known.complete(model, seeds)
        begun = None if known is None else known.begun
        return roots, model.sample(encoder, RootFacts.of(encoder, roots), seeds.torch("rows"), begun, self.progress)
