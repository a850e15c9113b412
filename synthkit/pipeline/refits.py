"""Further fits of a model to the same table, with coins of their own: where few people could be attacked in one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.pipeline.internal_evaluation import attacked
from synthkit.pipeline.split import Shares, Split, split
from synthkit.runtime.seeds import Seeds, system_generator
from synthkit.schema.conform import conform
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables.typed_table import TypedTable

if TYPE_CHECKING:
    from synthkit.pipeline.results import Sibling
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.runtime.progress import Clock
    from synthkit.schema import Schema

ENOUGH = 500  # people attacked, in all fits together: half of them trained on
MAX_FITS = 5  # fits: a little less than a fifth of the people are attacked in each


def fits_for(units: int) -> int:
    """How many fits it takes to attack 500 people, other ones in each; at most five, which attack nine in ten.

    Example:
        >>> [fits_for(n) for n in (100, 600, 1_384, 2_500, 48_842)]
        [5, 5, 3, 2, 1]
    """
    each = Shares.of(units).pool * units
    return min(MAX_FITS, max(1, math.ceil(ENOUGH / max(each, 1) - 1e-9)))


def refits(
    first: Split, audited: Sibling, schema: Schema, config: RunConfig, clock: Clock
) -> tuple[tuple[EvaluationData, ...], pd.DataFrame | None]:
    """Fit the same model again, draw as often, and keep what attackers need; the rows are never released.

    Args:
        first: roles and coins of the fit that is measured.
        audited: that fit, whose settled settings are taken.
        schema: the meaning of the table.
        config: what the run is asked: how many fits, the seed.
        clock: told of each fit.

    Returns:
        What each leaves to be attacked; and the roles and coins of all of them, one row a unit and fit, None of none.
    """
    many = config.fits or (1 if config.quick or config.epsilon is not None else fits_for(len(first.roles)))
    splits, found = [first], []
    for k in range(1, many):
        clock.stage(f"fit {k + 1} of {many}, to attack more people")
        parts = split(first.frame, schema, system_generator(), before=splits)
        splits.append(parts)
        found.append(_refit(parts, audited, schema, config, Seeds(config.seed or 0).of(f"refit {k}") % 2**31, clock))
    roles = [each.roles.assign(fit=k + 1) for k, each in enumerate(splits)][1:]
    return tuple(found), pd.concat(roles, ignore_index=True) if roles else None


def _refit(
    parts: Split, audited: Sibling, schema: Schema, config: RunConfig, seed: int, clock: Clock
) -> EvaluationData:
    settled = audited.synthesizer
    again = Synthesizer(schema, settled.model_name, settings=settled.settings, device=config.device)
    train = TypedTable(frame=parts.train_frame())
    again.fit(train, seed=seed, progress=clock.training)
    rows, seeds = len(audited.draws[0]), Seeds(seed)
    draws = [
        again.sample(rows, rake=config.raked, seed=seeds.of(f"draw {k}") % 2**31) for k in range(len(audited.draws))
    ]
    return EvaluationData(
        train=train.frame,
        holdout=parts.holdout_frame(),
        synthetic=tuple(conform(draw, schema) for draw in draws),
        schema=schema,
        pool=attacked(parts, again if config.release_model else None, seed),
    )
