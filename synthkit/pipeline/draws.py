"""Synthetic tables of a run: drawn from a fitted synthesizer, and validated before any of them may leave."""

from __future__ import annotations

import pandas as pd

from synthkit.errors import SchemaError
from synthkit.pipeline.run_config import RunConfig
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.validation import validate
from synthkit.schema.violations import Validation
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.watermark import WatermarkKey


def draw_tables(
    synthesizer: Synthesizer, fitted: int, config: RunConfig, key: WatermarkKey | None
) -> tuple[pd.DataFrame, ...]:
    """As many rows a draw as were asked for, or fitted; under a budget as many as there are units by a noisy count."""
    rows = config.rows or (fitted if synthesizer.rows is None else round(synthesizer.rows))
    seeds = Seeds(config.seed or 0)
    each = (seeds.of(f"draw {k}") % 2**31 for k in range(config.draws))
    return tuple(synthesizer.sample(rows, rake=config.rake, seed=seed, watermark=key) for seed in each)


def validate_draws(draws: tuple[pd.DataFrame, ...], schema: Schema, config: RunConfig) -> Validation:
    """The validation of the first draw; every draw must pass, for each may be released.

    Raises:
        SchemaError: a draw breaks its schema.
    """
    validations = [validate(draw, schema, extra=config.suite) for draw in draws]
    for k, validation in enumerate(validations):
        if not validation.success:
            msg = (
                f"synthetic rows must keep the schema they were made for; however: draw {k + 1} does not\n{validation}"
            )
            raise SchemaError(msg)
    return validations[0]
