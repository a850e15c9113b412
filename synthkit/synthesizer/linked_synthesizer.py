"""Linked tables in, linked tables out: an encoder of units and a model, fitted through one access, saved without a row."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthkit.encoding.units.unit_classes import UnitClasses
from synthkit.encoding.units.unit_decoder import decode_units
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.errors import ConfigError
from synthkit.models.base import TrainingLog
from synthkit.models.settings import resolve_settings
from synthkit.models.timeline.unit_layout import UnitLayout
from synthkit.models.unit_base import UnitModel
from synthkit.models.unit_registry import unit_models
from synthkit.privacy.access.unit_access import ExactUnitAccess, UnitFitPlan
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.device import choose_device
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.checkpoints import Checkpoint
from synthkit.synthesizer.rule_sampling import sample_valid_rows
from synthkit.tables import table_files
from synthkit.tables.linked_tables import LinkedTables
from synthkit.training.callbacks import Progress, TrainingCallbacks


class LinkedSynthesizer:
    """Learns linked tables and draws new units with everything that belongs to them.

    Args:
        schema: meaning of the tables.
        model: name of the model, one of `models.unit_registry.unit_models`.
        seed: root of all random choices of `fit`; drawn and recorded if not given.
        device: `auto`, `cpu`, `cuda` or `mps`.
        settings: the model's own settings by name, its defaults where not given.

    Raises:
        ConfigError: there is no such model or setting.
    """

    def __init__(
        self,
        schema: LinkedSchema,
        model: str = "timeline",
        *,
        seed: int | None = None,
        device: str = "auto",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        known = unit_models()
        if model not in known:
            msg = f"`model` must be one of {', '.join(sorted(known))} for linked tables; however: `{model}`"
            raise ConfigError(msg)
        self.schema, self.model_name, self.seed = schema, model, seed
        self._config: Any = resolve_settings(model, known[model].Config, dict(settings or {}))
        self._device = device
        self._encoder: UnitEncoder | None = None
        self._model: UnitModel | None = None
        self._classes: UnitClasses | None = None
        self._shared: dict[str, pd.DataFrame] = {}
        self._references: dict[str, pd.DataFrame] = {}
        self._storages: dict[str, dict[str, str]] = {}
        self.log: TrainingLog | None = None

    def fit(
        self,
        tables: Mapping[str, pd.DataFrame] | LinkedTables,
        *,
        seed: int | None = None,
        max_minutes: float | None = None,
        checkpoint: Checkpoint | None = None,
        progress: Progress | None = None,
        say: Callable[[str], None] | None = None,
        ledger: Ledger | None = None,
    ) -> LinkedSynthesizer:
        """Learn linked tables; the same seed on the same machine learns the same model.

        Args:
            tables: frames by name, or tables that were typed already.
            seed: root of all random choices.
            max_minutes: a time budget, above 0.
            checkpoint: where the training is kept, to go on with it after it was killed.
            progress: called with step, steps and loss.
            say: called with sentences for people.
            ledger: the ledger of the tables.

        Raises:
            SchemaError: the tables are not those the schema describes.
            ConfigError: the time budget is not above 0.
        """
        since = time.monotonic()
        if max_minutes is not None and not max_minutes > 0:
            msg = f"`max_minutes` must be above 0; however: {max_minutes:g}"
            raise ConfigError(msg)
        typed = tables if isinstance(tables, LinkedTables) else LinkedTables.of(tables, self.schema)
        self.seed = next(s for s in (seed, self.seed, secrets.randbits(31)) if s is not None)
        seeds, device = Seeds(self.seed), choose_device(self._device)
        wish = None if max_minutes is None else 60 * max_minutes
        callbacks = TrainingCallbacks(progress=progress, say=say, seconds=wish, since=since, store=checkpoint)
        access = ExactUnitAccess(typed, ledger or Ledger.unlimited(unit=None), seeds, device)
        kind = unit_models()[self.model_name]
        classes = kind.classes(self._config, access.units())
        access.reserve(UnitFitPlan(coding=kind.coding, root=kind.root_coding, classes=classes, copies=kind.copies))
        self._encoder = access.fit_encoder()
        self._classes = access.classes
        self._shared = access.shared()
        self._model = kind(UnitLayout.of(self._encoder), self._config)
        self._references = {name: frame.copy() for name, frame in typed.references.items()}
        self._storages = {name: dict(each) for name, each in typed.storages.items()}
        self.log = self._model.fit(access, seeds.of("training"), callbacks)
        return self

    def sample(self, units: int, *, seed: int | None = None) -> dict[str, pd.DataFrame]:
        """Draw new units; every declared rule holds.

        Args:
            units: how many.
            seed: same seed, same tables; drawn if not given.
        """
        if units < 0:
            msg = f"the number of units must not be negative; however: {units}"
            raise ConfigError(msg)
        encoder, model = self._fitted()
        seeds = Seeds(secrets.randbits(31) if seed is None else seed)
        roots = sample_valid_rows(units, encoder.root, model.root, seeds)
        drawn = model.sample(encoder, roots, seeds.torch("rows"))
        return self._as_they_came(decode_units(encoder, roots, drawn, seeds.numpy("keys"), self._shared))

    def _as_they_came(self, frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        out = {}
        for name in self.schema.tables:
            if name in self._references:
                out[name] = self._references[name].copy()
                continue
            alone = self.schema.tables[name].alone(name)
            out[name] = table_files.as_it_came(frames[name], alone, self._storages.get(name, {}))
        return out

    def _fitted(self) -> tuple[UnitEncoder, UnitModel]:
        if self._encoder is None or self._model is None:
            msg = "a synthesizer must be fitted first; however: it is not. Call fit(tables)"
            raise ConfigError(msg)
        return self._encoder, self._model
