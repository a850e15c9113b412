"""The fit of a run and its draws: a synthesizer of what was asked, fitted to a typed table, and rows drawn from it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pandas as pd

from synthkit.errors import SchemaError, UnsupportedError
from synthkit.models.autoregressive.model import Autoregressive
from synthkit.models.base import Capability
from synthkit.models.registry import models
from synthkit.pipeline.results import Sibling
from synthkit.pipeline.run_config import RunConfig
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.progress import Clock
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import refuse
from synthkit.schema.narrow_patterns import narrow_pattern_faults
from synthkit.schema.validation import validate
from synthkit.schema.violations import Validation
from synthkit.synthesizer.checkpoints import Checkpoint
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.watermark import WatermarkKey

if TYPE_CHECKING:
    from synthkit.engine.large_table import LargeTable
    from synthkit.tables.typed_table import TypedTable

MOST_DRAWN = 1_000_000  # rows a draw of a large table, where nobody says how many: `sample` draws more, part by part
HALF_BUDGET = 0.5  # of a budget, for the fit that is measured, where another follows


def root_seed(config: RunConfig) -> int:
    """The root seed of a run; drawn from the operating system if none was asked for."""
    return secrets.randbits(31) if config.seed is None else config.seed


def empty_synthesizer(schema: Schema, config: RunConfig) -> Synthesizer:
    """A synthesizer before its fit; under a budget it measures what raked draws need if they are asked for.

    Raises:
        UnsupportedError: the model is to be released, and nothing is known of it that an attacker could ask.
    """
    if config.release_model and not models().get(config.model, Autoregressive).can(Capability.NEGATIVE_LOG_PROB):
        msg = (
            f"a model is released only if an attack by its likelihood can be made first; however: {config.model} says "
            "of no row how probable it is. Use autoregressive, or release rows only"
        )
        raise UnsupportedError(msg)
    return Synthesizer(
        schema,
        config.model,
        settings=config.settings,
        device=config.device,
        margins=config.rake if config.epsilon is not None else None,
    )


def _another(fitted: Synthesizer, schema: Schema, config: RunConfig) -> Synthesizer:
    """Another before its fit, of the same settled settings; under a budget of those that were asked."""
    if config.epsilon is not None:
        return empty_synthesizer(schema, config)
    return Synthesizer(schema, fitted.model_name, settings=fitted.settings, device=config.device)


def learn(
    synthesizer: Synthesizer,
    table: TypedTable | LargeTable,
    config: RunConfig,
    ledger: Ledger,
    checkpoint: Checkpoint | None,
    clock: Clock,
    *,
    share: float = 1.0,
) -> None:
    """Fit a typed table; the ledger is charged with what is learned while doing so."""
    synthesizer.fit(
        table,
        ledger=ledger,
        seed=config.seed,
        max_minutes=config.max_minutes,
        checkpoint=checkpoint,
        progress=clock.training,
        say=clock.say,
        share=share,
    )


def watermark_key(config: RunConfig, schema: Schema) -> WatermarkKey | None:
    """The key of the watermark, held against the schema before any work is done."""
    return None if config.watermark is None else WatermarkKey.load(config.watermark).of(schema)


def _usual_rows(table: TypedTable | LargeTable) -> int:
    """Rows a draw where nobody says how many: as many as were fitted, if those are in memory."""
    from synthkit.tables.typed_table import TypedTable

    return table.rows if isinstance(table, TypedTable) else min(table.rows, MOST_DRAWN)


def _drawn(
    synthesizer: Synthesizer, fitted: int, config: RunConfig, key: WatermarkKey | None
) -> tuple[pd.DataFrame, ...]:
    """As many rows a draw as were asked for, or fitted; under a budget as many as there are units by a noisy count."""
    rows = config.rows or (fitted if synthesizer.rows is None else round(synthesizer.rows))
    seeds = Seeds(root_seed(config))
    each = (seeds.of(f"draw {k}") % 2**31 for k in range(config.draws))
    return tuple(synthesizer.sample(rows, rake=config.raked, seed=seed, watermark=key) for seed in each)


def validate_draws(draws: tuple[pd.DataFrame, ...], schema: Schema, config: RunConfig) -> Validation:
    """The validation of the first draw; every draw must pass, for each may be released."""
    validations = [validate(draw, schema, extra=config.suite) for draw in draws]
    for k, validation in enumerate(validations):
        if not validation.success:
            msg = (
                f"synthetic rows must keep the schema they were made for; however: draw {k + 1} does not\n{validation}"
            )
            raise SchemaError(msg)
    return validations[0]


def fit_and_draw(
    synthesizer: Synthesizer,
    table: TypedTable | LargeTable,
    train: TypedTable | LargeTable,
    config: RunConfig,
    ledger: Ledger,
    checkpoint: Checkpoint | None,
    clock: Clock,
    key: WatermarkKey | None,
) -> tuple[Synthesizer, tuple[pd.DataFrame, ...], Sibling | None]:
    """Fit the training rows and draw; with `final` a sibling is kept, and all people are fitted once more.

    Args:
        synthesizer: before its fit.
        table: all rows.
        train: rows of the split that are trained on.
        config: what the run is asked.
        ledger: charged with what is learned.
        checkpoint: where the training is kept.
        clock: told of stages.
        key: of the watermark, if there is one.

    Raises:
        SchemaError: a pattern has fewer values than there are rows to draw.
    """
    given = synthesizer.schema
    clock.stage("fit")
    most = (table if config.final else train).rows
    refuse([] if config.epsilon else narrow_pattern_faults(given, most, unique=False))
    learn(synthesizer, train, config, ledger, checkpoint, clock, share=HALF_BUDGET if config.final else 1.0)
    clock.stage("sample")
    draws = _drawn(synthesizer, _usual_rows(train), config, key)
    if not config.final:
        return synthesizer, draws, None
    sibling = Sibling(draws=draws, synthesizer=synthesizer)
    clock.stage("fit all people")
    seed = Seeds(root_seed(config)).of("final") % 2**31
    again = config.model_copy(update={"seed": seed, "max_minutes": None})
    last = _another(synthesizer, given, config)
    learn(last, table, again, ledger, None, clock)
    clock.stage("sample")
    return last, _drawn(last, _usual_rows(table), again, key), sibling
