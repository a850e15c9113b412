"""Further fits of a model to the same table, with coins of their own: where few people could be attacked in one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from synthkit.evaluate import Comparison
from synthkit.privacy import Curator, Ledger
from synthkit.schema.conform import conform
from synthkit.seeds import Seeds, system_generator
from synthkit.split import Shares, Split, split
from synthkit.synthesizer import Synthesizer

if TYPE_CHECKING:
    from synthkit.evaluate.risk.pool import Pool
    from synthkit.progress import Clock
    from synthkit.schema import Schema

ENOUGH = 500  # people attacked, in all fits together: half of them trained on
MOST = 5  # fits: a little less than a fifth of the people are attacked in each


def fits_for(units: int) -> int:
    """How many fits it takes to attack 500 people, other ones in each; at most five, which attack nine in ten.

    Example:
        >>> [fits_for(n) for n in (100, 600, 1_384, 2_500, 48_842)]
        [5, 5, 3, 2, 1]
    """
    each = Shares.of(units).pool * units
    return min(MOST, max(1, math.ceil(ENOUGH / max(each, 1) - 1e-9)))


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """How the fit that is to be released was made, so that others are made in the same way.

    Args:
        synthesizer: the fitted one; its settled settings are taken.
        schema: the meaning of the table.
        dtypes: the dtypes samples are to have.
        rows: rows of a draw.
        draws: number of draws.
        calibrate: whether draws are calibrated.
        likelihood: whether attackers have the model.
        seed: root of the fit.
        device: where to compute.
    """

    synthesizer: Synthesizer
    schema: Schema
    dtypes: Mapping[str, str]
    rows: int
    draws: int
    calibrate: bool
    likelihood: bool
    seed: int
    device: str


def refits(first: Split, procedure: Procedure, many: int, clock: Clock) -> tuple[tuple[Comparison, ...], list[Split]]:
    """Fit, draw and set against the people of new coins, `many` times; their rows are attacked and never released.

    Args:
        first: roles and coins of the fit that is to be released.
        procedure: how it was made.
        many: further fits.
        clock: told of each.

    Returns:
        What each leaves to be attacked, and its roles and coins.
    """
    splits = [first]
    found = []
    for k in range(many):
        clock.stage(f"fit {k + 2} of {many + 1}, to attack more people")
        parts = split(first.frame, procedure.schema, system_generator(), before=splits)
        splits.append(parts)
        found.append(_refit(parts, procedure, Seeds(procedure.seed).of(f"refit {k + 2}") % 2**31, clock))
    return tuple(found), splits[1:]


def _refit(parts: Split, procedure: Procedure, seed: int, clock: Clock) -> Comparison:
    schema, settled = procedure.schema, procedure.synthesizer
    again = Synthesizer(schema, settled.model_name, settings=settled.settings, device=procedure.device)
    curator = Curator(parts.train_frame(), schema, Ledger.unlimited(unit=schema.unit), Seeds(seed))
    again.with_dtypes(procedure.dtypes).fit(curator, seed=seed, progress=clock.training)
    draws = tuple(
        again.sample(procedure.rows, calibrate=procedure.calibrate, seed=Seeds(seed).of(f"draw {k}") % 2**31)
        for k in range(procedure.draws)
    )
    return Comparison(
        train=parts.train_frame(),
        holdout=parts.holdout_frame(),
        synthetic=tuple(conform(draw, schema) for draw in draws),
        schema=schema,
        pool=attacked(parts, again, seed, likelihood=procedure.likelihood),
    )


def attacked(parts: Split, synthesizer: Synthesizer, seed: int, *, likelihood: bool) -> Pool:
    """The people who are attacked, with what a released model would say of each of their rows."""
    pool = parts.attacked()
    if not likelihood:
        return pool
    return replace(pool, likelihood=-synthesizer.anomaly_score(pool.frame, seed=Seeds(seed).of("likelihood")))


def roles_of(splits: list[Split]) -> pd.DataFrame:
    """Roles and coins of all fits, one row a unit and fit; INTERNAL."""
    return pd.concat([each.roles.assign(fit=k + 1) for k, each in enumerate(splits)], ignore_index=True)
