"""The fit of a run of linked tables and its draws: a synthesizer of what was asked, and units drawn from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.errors import SchemaError
from synthkit.pipeline.linked.linked_input import typed_draw
from synthkit.runtime.seeds import Seeds
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.watermark import UnitWatermarkKey

if TYPE_CHECKING:
    from synthkit.io.json_types import JSON
    from synthkit.pipeline.linked.linked_results import Tables
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.runtime.progress import Clock
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.synthesizer.checkpoints import Checkpoint
    from synthkit.tables.linked_tables import LinkedTables


def empty_linked(schema: LinkedSchema, config: RunConfig) -> LinkedSynthesizer:
    """A synthesizer before its fit; what it cannot be asked is refused here, before a table is read.

    Raises:
        ConfigError: there is no such model of linked tables, or no such setting.
        UnsupportedError: there is a budget, and the model cannot learn under one.
    """
    out = LinkedSynthesizer(schema, config.model, seed=config.seed, device=config.device, settings=config.settings)
    if config.epsilon is not None:
        out.refuse_no_budget()
    return out


def seed_of(config: RunConfig) -> int:
    """The root seed of a configuration that is settled."""
    return config.seed or 0


def learn_linked(
    synthesizer: LinkedSynthesizer,
    tables: LinkedTables,
    config: RunConfig,
    ledger: Ledger,
    checkpoint: Checkpoint | None,
    clock: Clock,
) -> None:
    """Fit units; what was looked at stands in the ledger."""
    synthesizer.fit(
        tables,
        seed=config.seed,
        max_minutes=config.max_minutes,
        checkpoint=checkpoint,
        progress=clock.training,
        stage=clock.part,
        say=clock.say,
        ledger=ledger,
    )


def unit_watermark_key(config: RunConfig, schema: LinkedSchema) -> UnitWatermarkKey | None:
    """The key of the watermark, held against the schema before any work is done."""
    return None if config.watermark is None else UnitWatermarkKey.load(config.watermark).of(schema)


def marked_facts(key: UnitWatermarkKey | None) -> dict[str, JSON]:
    """What a run tells of its watermark."""
    return {"watermark": None if key is None else {"key": key.name, "candidates": key.candidates}}


def drawn_linked(
    synthesizer: LinkedSynthesizer, fitted: int, config: RunConfig, key: UnitWatermarkKey | None, clock: Clock
) -> tuple[tuple[Tables, ...], list[int]]:
    """As many units a draw as were asked for, or fitted, under a budget by their noisy count; and each draw's seed."""
    many = config.units or (fitted if synthesizer.rows is None else max(round(synthesizer.rows), 1))
    seeds = [Seeds(seed_of(config)).of(f"draw {k}") % 2**31 for k in range(config.draws)]
    return tuple(synthesizer.sample(many, seed=seed, watermark=key, progress=clock.rows) for seed in seeds), seeds


def checked_draws(draws: tuple[Tables, ...], schema: LinkedSchema) -> tuple[tuple[LinkedTables, ...], LinkedValidation]:
    """The draws, typed, and the validation of the first; every draw must pass, for each may be released.

    Raises:
        SchemaError: a draw breaks the schema.
    """
    found = [typed_draw(draw, schema) for draw in draws]
    for k, (_, validation) in enumerate(found):
        if not validation.success:
            msg = f"synthetic tables must keep the schema they were made for; however: draw {k + 1} does not"
            raise SchemaError(f"{msg}\n{validation}")
    return tuple(tables for tables, _ in found), found[0][1]
