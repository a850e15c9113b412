"""Linked tables in, linked tables out: an encoder of units and a model, fitted through one access."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit._version import __version__
from synthkit.encoding.rare_code_notes import pooled_rows
from synthkit.encoding.units.unit_classes import UnitClasses
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.errors import ArtefactError, ConfigError, UnsupportedError
from synthkit.models.base import Capability, TrainingLog
from synthkit.models.settings import is_private, resolve_settings, suited_settings
from synthkit.models.unit_base import UnitModel
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_registry import unit_models
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.access.unit_access import ExactUnitAccess, UnitAccess
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.device import choose_device
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer import model_files
from synthkit.synthesizer.checkpoints import Checkpoint
from synthkit.synthesizer.frame_cards import frame_from_dict, frame_to_dict
from synthkit.synthesizer.linked_completion import KnownUnits, imputed
from synthkit.synthesizer.model_choice import refuse_traces_of_rows
from synthkit.synthesizer.unit_anomaly import unit_anomaly_scores
from synthkit.synthesizer.unit_drawing import Drawing, UnitDrawing
from synthkit.tables import table_files
from synthkit.tables.linked_tables import LinkedTables, every_frame
from synthkit.training.callbacks import Progress, TrainingCallbacks

if TYPE_CHECKING:
    from synthkit.watermark import UnitWatermarkKey


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
            raise ConfigError(f"{msg}. Name one of these")
        self.schema, self.model_name, self.seed = schema, model, seed
        self._settings, record = dict(settings or {}), known[model].Config
        private = is_private(record, self._settings)
        self._config: Any = resolve_settings(model, record, self._settings, private=private)
        self._device = device
        self._encoder: UnitEncoder | None = None
        self._model: UnitModel | None = None
        self._classes: UnitClasses | None = None
        self._shared: dict[str, pd.DataFrame] = {}
        self._references: dict[str, pd.DataFrame] = {}
        self._storages: dict[str, dict[str, str]] = {}
        self.log: TrainingLog | None = None
        self.rows: float | None = None  # of the table of units, as they were told under a budget; None without one

    def fit(
        self,
        tables: Mapping[str, pd.DataFrame] | LinkedTables,
        *,
        seed: int | None = None,
        max_minutes: float | None = None,
        checkpoint: Checkpoint | None = None,
        progress: Progress | None = None,
        stage: Callable[[str], None] | None = None,
        say: Callable[[str], None] | None = None,
        ledger: Ledger | None = None,
    ) -> LinkedSynthesizer:
        """Learn linked tables; the same seed on the same machine learns the same model.

        Args:
            tables: frames by name, or tables that were typed already.
            seed: root of all random choices.
            max_minutes: a time budget, above 0.
            checkpoint: where the training is kept, to go on with it after it was killed; the same model comes of it.
            progress: called with step, steps and loss; of two trainings each counts its own steps.
            stage: called with the name of each training as it begins, where a model has several.
            say: called with sentences for people.
            ledger: the ledger of the tables.

        Raises:
            SchemaError: the tables are not those the schema describes.
            ConfigError: the time budget is not above 0, or the checkpoint belongs to another training.
            UnsupportedError: a rule cannot be kept, or a cell of a catalogue cannot be saved.
        """
        since = time.monotonic()
        if max_minutes is not None and not max_minutes > 0:
            msg = f"`max_minutes` must be above 0; however: {max_minutes:g}"
            raise ConfigError(msg)
        taken_up = None if checkpoint is None else checkpoint.seed
        self.seed = next(s for s in (seed, self.seed, taken_up, secrets.randbits(31)) if s is not None)
        wish = None if max_minutes is None else 60 * max_minutes
        callbacks = TrainingCallbacks(
            progress=progress, stage=stage, say=say, seconds=wish, since=since, store=checkpoint
        )
        ledger = ledger or Ledger.unlimited(unit=None)
        if ledger.budget is not None:
            refuse_traces_of_rows(callbacks)
            self.refuse_no_budget()
        seeds, device = Seeds(self.seed), choose_device(self._device)
        access = self._access(tables, ledger, seeds, device)
        self._model = self._coded(access)
        rows = {name: len(frame) for name, frame in every_frame(tables).items()}
        if not access.private:
            callbacks.log_all(self._remarks({name: rows[name] for name in self._shared}))
        if checkpoint is not None:
            checkpoint.begin(self._identity(rows, device.type))
        self.log = self._model.fit(access, seeds.of("training"), callbacks)
        if access.private:
            self.schema, self.rows = access.encoder.schema, self._model.rows
            self.log = replace(self.log, seconds=0.0, memory=None)  # both follow the rows
        return self

    def _coded(self, access: UnitAccess) -> UnitModel:
        """Charge the fit, learn the coding of all tables, and set up a model on it."""
        kind = unit_models()[self.model_name]
        self._config = suited_settings(self.model_name, kind.Config, self._settings, private=access.private)
        access.reserve(kind.fit_plan(self._config, access.units(), private=access.private))
        self._encoder = access.fit_encoder()
        self._classes = access.classes
        kind.check(self._encoder)
        self._shared = access.shared()
        return kind(UnitLayout.of(self._encoder), self._config)

    def refuse_no_budget(self) -> None:
        """Refuse a model that cannot learn under a budget.

        Raises:
            UnsupportedError: it cannot.
        """
        if not unit_models()[self.model_name].can(Capability.BUDGET):
            able = ", ".join(sorted(name for name, each in unit_models().items() if each.can(Capability.BUDGET)))
            msg = f"under a privacy budget the model must be {able} for linked tables; however: `{self.model_name}`"
            raise UnsupportedError(f"{msg}. Name one of these")

    def _access(
        self, tables: Mapping[str, pd.DataFrame] | LinkedTables, ledger: Ledger, seeds: Seeds, device: torch.device
    ) -> UnitAccess:
        """What may be learned of the tables: exact answers without a budget, noisy ones under it."""
        if ledger.budget is None:
            typed = tables if isinstance(tables, LinkedTables) else LinkedTables.of(tables, self.schema)
            self._storages = {name: dict(each) for name, each in typed.storages.items()}
            self._keep(typed.references)
            return ExactUnitAccess(typed, ledger, seeds, device)
        frames = every_frame(tables)
        self._storages = {}  # how columns are stored follows from the schema alone
        self._keep({name: frames[name] for name in self.schema.graph.references if name in frames})
        return PrivateUnitAccess(frames, self.schema, ledger, device)

    def _keep(self, references: Mapping[str, pd.DataFrame]) -> None:
        """Keep public catalogues as they are read back."""
        self._references = {name: frame_from_dict(frame_to_dict(frame)) for name, frame in references.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the fitted model, nothing left open; with them and the seed it is fitted again."""
        _, model = self._fitted()
        chosen = model.config()
        if "classes" in chosen:
            chosen["classes"] = 1 if self._classes is None else len(self._classes.centres)
        planned = None if self.log is None else self.log.planned
        return chosen if planned is None or "steps" not in chosen else {**chosen, "steps": planned}

    def sample(
        self,
        units: int,
        *,
        seed: int | None = None,
        given: Mapping[str, Any] | None = None,
        watermark: UnitWatermarkKey | None = None,
        progress: Drawing | None = None,
    ) -> dict[str, pd.DataFrame]:
        """Draw new units; every declared rule holds.

        Args:
            units: how many.
            seed: same seed, same tables; drawn if not given.
            given: by table, what is known. Of the table of units values that all units must have, by column, or a frame
                of one row a unit with unknown cells missing, whose keys stay if it has them; of other tables the rows
                that units have had so far, which are continued: then the frame of units holds their keys.
            watermark: key by which each unit is chosen, with all its rows, among several draws, so that
                `synthkit.watermark.detect_units` knows the tables again.
            progress: called with how many of the rows right below the units are drawn, and how many there are.

        Raises:
            ConfigError: the number of units is negative, or the synthesizer is not fitted.
            SchemaError: what is given contradicts the schema, or columns of the key are not there.
        """
        if units < 0:
            msg = f"the number of units must not be negative; however: {units}"
            raise ConfigError(msg)
        encoder, model = self._fitted()
        drawing = UnitDrawing(
            encoder=encoder,
            model=model,
            shared=self._shared,
            references=self._references,
            seeds=Seeds(secrets.randbits(31) if seed is None else seed),
            known=None if given is None else KnownUnits.of(given, units, encoder, self._references),
            progress=progress,
        )
        return self._as_they_came(drawing.tables(units, watermark))

    def impute(self, tables: Mapping[str, pd.DataFrame], *, seed: int | None = None) -> dict[str, pd.DataFrame]:
        """Fill missing cells of values with draws from their law given the rest of the row and all that came before.

        Keys, moments and what is computed are not filled, so that nobody dies and no stay ends for it; known cells
        and the order of the rows stay as they are. Cells are filled in one pass: what is filled in one row does not
        change what came before another.

        Args:
            tables: frames by name.
            seed: same seed, same draws.

        Raises:
            SchemaError: the tables are not those the schema describes.
            ConfigError: the synthesizer is not fitted.
            UnsupportedError: the model fills no cells.
        """
        encoder, model = self._able("`impute`", Capability.GIVEN)
        typed = LinkedTables.of(tables, self.schema, few=True)
        filled = imputed(typed, encoder, model, Seeds(secrets.randbits(31) if seed is None else seed), self._classes)
        return self._as_they_came({**filled, **typed.shared}, typed.references)

    def log_prob(self, tables: Mapping[str, pd.DataFrame]) -> NDArray[np.float64]:
        """Log-probability of each unit as coded, in the order of the table of units, nats. **Shape**: (units,).

        Args:
            tables: frames by name.

        Raises:
            SchemaError: the tables are not those the schema describes.
            ConfigError: the synthesizer is not fitted.
            EncodingError: a value has no code, for it was never seen; `anomaly_score` takes such values.
            UnsupportedError: the model tells no probability.
        """
        encoder, model = self._able("`log_prob`", Capability.LOG_PROB)
        frames = self._told(LinkedTables.of(tables, self.schema, few=True))
        return model.log_prob(encoder.encode(frames))

    def anomaly_score(self, tables: Mapping[str, pd.DataFrame]) -> dict[str, NDArray[np.float64]]:
        """How odd each row is to the model, nats, and each unit with all its rows; higher is odder.

        Args:
            tables: frames by name; a value never seen counts as log n beside the commonest in its place.

        **Shape**: by table, one number a row, in the order of `LinkedTables`: rows of an owner together, by time.

        Raises:
            SchemaError: the tables are not those the schema describes.
            ConfigError: the synthesizer is not fitted.
            UnsupportedError: the model tells no probability.
        """
        encoder, model = self._able("`anomaly_score`", Capability.LOG_PROB)
        return unit_anomaly_scores(self._told(LinkedTables.of(tables, self.schema, few=True)), encoder, model)

    def _told(self, tables: LinkedTables) -> UnitFrames:
        """What is learned of tables, the class of each unit included."""
        encoder, _ = self._fitted()
        frames = encoder.frames(tables)
        return frames if self._classes is None else frames.with_classes(self.schema.unit, self._classes.of(frames))

    def save(self, folder: str | Path) -> None:
        """Write the fitted synthesizer as JSON and safetensors; the folder appears whole or not at all."""
        encoder, model = self._fitted()
        card = {
            "linked": True,
            "model": self.model_name,
            "settings": self.settings,
            "schema": json.loads(self.schema.model_dump_json(by_alias=True, exclude_none=True)),
            "storages": self._storages,
            "encoder": encoder.to_dict(),
            "classes": None if self._classes is None else self._classes.to_dict(),
            "shared": {name: frame_to_dict(frame) for name, frame in self._shared.items()},
            "references": {name: frame_to_dict(frame) for name, frame in self._references.items()},
            "log": model_files.log_to_dict(self.log),
            "seed": self.seed,
        }
        model_files.save(Path(folder), card, dict(model.tensors()))

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "auto") -> LinkedSynthesizer:
        """Read what `save` wrote; no training data are needed.

        Raises:
            ArtefactError: the folder is not a saved synthesizer of linked tables, or is damaged.
        """
        card, tensors = model_files.load(Path(folder))
        if not card.get("linked") or card.get("model") not in unit_models():
            msg = f"{folder} must hold a model of linked tables; however: it holds another. Load it with Synthesizer"
            raise ArtefactError(msg)
        with model_files.undamaged(folder):
            schema = LinkedSchema.model_validate(card["schema"])
            out = cls(schema, card["model"], seed=card["seed"], device=device, settings=card["settings"])
            out._encoder = UnitEncoder.from_dict(card["encoder"], schema)
            out._classes = None if card["classes"] is None else UnitClasses.from_dict(card["classes"])
            out._storages = card["storages"]
            out._shared = {name: frame_from_dict(each) for name, each in card["shared"].items()}
            out._references = {name: frame_from_dict(each) for name, each in card["references"].items()}
            out.log = model_files.log_from_dict(card["log"])
        with model_files.LayoutAllowance(Path(folder), tensors), model_files.undamaged(folder):
            out._model = unit_models()[card["model"]](UnitLayout.of(out._encoder), out._config)
        model_files.check_tensors(Path(folder), tensors, out._model.tensors())
        out._model.load_tensors(tensors, choose_device(device))
        return out

    def _as_they_came(
        self, frames: Mapping[str, pd.DataFrame], references: Mapping[str, pd.DataFrame] | None = None
    ) -> dict[str, pd.DataFrame]:
        """Tables stored as those that were learned from; catalogues as they are."""
        out, same = {}, self._references if references is None else references
        for name in self.schema.tables:
            if name in same:
                out[name] = same[name].copy()
                continue
            alone = self.schema.tables[name].alone(name)
            out[name] = table_files.as_it_came(frames[name], alone, self._storages.get(name, {}))
        return out

    def _remarks(self, rows: Mapping[str, int]) -> Iterator[str]:
        """What of the tables is too rare to be learned, in words; of shared tables there are so many rows."""
        encoder, unit = self._encoder, self.schema.unit
        assert encoder is not None
        coded = {unit: encoder.root, **{name: each.encoder for name, each in encoder.payloads.items()}}
        shared = {name: (max(len(self._shared[name]) - 1, 0), many) for name, many in rows.items()}
        return pooled_rows(coded, shared, unit)

    def _identity(self, rows: Mapping[str, int], device: str) -> dict[str, Any]:
        """What a training that is taken up must have in common with the one that was begun."""
        encoder, _ = self._fitted()
        return {
            "version": f"{__version__}, torch {torch.__version__}",
            "model": self.model_name,
            "settings": asdict(self._config),
            "seed": self.seed,
            "rows": dict(rows),
            "device": device,
            "coding": encoder.to_dict(),
        }

    def _fitted(self) -> tuple[UnitEncoder, UnitModel]:
        if self._encoder is None or self._model is None:
            msg = "a synthesizer must be fitted first; however: it is not. Call fit(tables)"
            raise ConfigError(msg)
        return self._encoder, self._model

    def _able(self, what: str, capability: Capability) -> tuple[UnitEncoder, UnitModel]:
        """Encoder and model, if the model can do what is asked.

        Raises:
            ConfigError: the synthesizer is not fitted.
            UnsupportedError: the model does not declare it.
        """
        encoder, model = self._fitted()
        if not model.can(capability):
            able = ", ".join(sorted(name for name, each in unit_models().items() if each.can(capability)))
            msg = f"{what} needs a model that can {capability.value}; however: `{self.model_name}` cannot. Use one of "
            raise UnsupportedError(msg + able)
        return encoder, model
