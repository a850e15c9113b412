"""Rows of a model made into rows of a table that obey every rule: decoded, mended, and drawn again where need be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.encoding import Rows, TableEncoder
from synthkit.errors import SchemaError
from synthkit.models.base import Capability, RowModel
from synthkit.runtime.seeds import Seeds
from synthkit.schema.derived import rows_keeping_rules
from synthkit.synthesizer.conditional import ConditionalSampler

if TYPE_CHECKING:
    from synthkit.watermark import WatermarkKey

REDRAW_ROUNDS = 20  # how often rows that cannot be mended are drawn again


def sample_valid_rows(
    n: int,
    encoder: TableEncoder,
    model: RowModel,
    seeds: Seeds,
    *,
    first: Rows | None = None,
    watermark: WatermarkKey | None = None,
) -> pd.DataFrame:
    """Draw n rows that obey the rules, identifiers made fresh.

    Args:
        n: how many.
        encoder: fitted coding of the table.
        model: what draws, and mends if it conditions.
        seeds: of the draws.
        first: n encoded rows to begin with, drawn already; only what breaks a rule and cannot be mended is drawn anew.
        watermark: key by which each row is chosen among several.

    Raises:
        SchemaError: rows still break a rule after 20 rounds.

    **Shape**: -> frame of n rows, the schema's columns in order.
    """
    generator, rng = seeds.torch("sample"), seeds.numpy("identifiers")
    mender = ConditionalSampler(encoder, model, seeds, REDRAW_ROUNDS) if model.can(Capability.GIVEN) else None

    def table() -> pd.DataFrame:
        return _drawn(n, encoder, lambda lacking: model.sample(lacking, generator), rng, mender, first)

    out = watermarked_rows(table, watermark, seeds)
    fresh = encoder.identifiers(n, rng)
    return pd.DataFrame({c: fresh[c] if c in fresh else out[c] for c in encoder.schema.columns}, copy=False)


def watermarked_rows(table: Callable[[], pd.DataFrame], watermark: WatermarkKey | None, seeds: Seeds) -> pd.DataFrame:
    """A drawn table; with a key, each of its rows is taken from one of several tables. **Shape**: -> frame of n rows.

    Args:
        table: draws n rows, others each time.
        watermark: the key that chooses.
        seeds: of what is left to chance.

    Raises:
        SchemaError: columns of the key are not there.
    """
    if watermark is None:
        return table()
    from synthkit.watermark import choose_candidates

    drawn = pd.concat([table() for _ in range(watermark.candidates)], ignore_index=True)
    return drawn.iloc[choose_candidates(drawn, watermark, seeds.numpy("watermark"))].reset_index(drop=True)


def _drawn(
    n: int,
    encoder: TableEncoder,
    sample: Callable[[int], Rows],
    rng: np.random.Generator,
    mender: ConditionalSampler | None,
    first: Rows | None,
) -> pd.DataFrame:
    """Described columns of n rows that obey the rules."""
    schema = encoder.schema
    kept: list[pd.DataFrame] = []
    for _ in range(REDRAW_ROUNDS):
        lacking = n - sum(map(len, kept))
        if kept and lacking == 0:
            break
        frame = encoder.decode(sample(lacking) if first is None or kept else first, rng)
        if list(frame) != list(schema.described):
            frame = frame[list(schema.described)]
        good = rows_keeping_rules(frame, schema)
        parts = [frame if good.all() else frame[good]]  # a whole table is not copied for nothing
        if mender is not None and not good.all():
            mended, obeys = mender.repair(frame[~good])
            parts.append(mended.set_index(np.flatnonzero(~good))[obeys])
        kept.append(parts[0] if len(parts) == 1 else _joined(parts).sort_index())
        del frame, parts
    out = kept[0] if len(kept) == 1 else _joined(kept).reset_index(drop=True)
    if len(out) < n:
        msg = (
            f"rows must be able to obey all rules; however: after {REDRAW_ROUNDS} rounds {n - len(out)} of {n} still "
            "break one. Check whether rules contradict each other or the bounds"
        )
        raise SchemaError(msg)
    return out


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Parts one below the other; parts without rows are left out, for they have no say in dtypes."""
    return pd.concat([part for part in parts if len(part)] or parts[:1])
