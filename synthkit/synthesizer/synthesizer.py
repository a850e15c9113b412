"""Table in, table out: an encoder and a model, fitted through the curator, saved without any row."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit._version import __version__
from synthkit.encoding import Rows, TableEncoder
from synthkit.encoding.raking_margins import RakingMargins
from synthkit.errors import ArtefactError, ConfigError, UnsupportedError
from synthkit.models.auto import AUTO
from synthkit.models.base import Capability, CountModel, NetworkModel, RowModel, TrainingLog
from synthkit.models.registry import models
from synthkit.models.settings import is_private, renamed, resolve_settings
from synthkit.privacy.access.data_access import FitPlan
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.device import choose_device
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.derived import with_derived
from synthkit.synthesizer import model_files, raking
from synthkit.synthesizer.anomaly import anomaly_score
from synthkit.synthesizer.checkpoints import Checkpoint
from synthkit.synthesizer.conditional import ConditionalSampler, refuse_foreign
from synthkit.synthesizer.curated_table import curated_table
from synthkit.synthesizer.model_choice import chosen, refuse_traces_of_rows
from synthkit.synthesizer.rule_sampling import REDRAW_ROUNDS, sample_valid_rows, watermarked_rows
from synthkit.tables import table_files
from synthkit.tables.storage import narrowed, storages
from synthkit.training.callbacks import Progress, TrainingCallbacks

if TYPE_CHECKING:
    from synthkit.engine.large_table import LargeTable
    from synthkit.privacy.access.curator import Curator
    from synthkit.synthesizer.part_of_table import PartOfTable
    from synthkit.tables.typed_table import TypedTable
    from synthkit.watermark import WatermarkKey

MARGINS_PREFIX = "targets."  # how the names of their tensors begin in a file


class Synthesizer:
    """Learns a table and draws new rows of it; the same class for every model.

    Args:
        schema: meaning of the columns.
        model: name of the model, one of `models.registry.models`, or `auto` to have it chosen when the table is known.
        settings: the model's own settings by name, its defaults where not given; over those that `auto` chooses.
        device: `auto`, `cpu`, `cuda` or `mps`.
        margins: whether `fit` measures the one- and two-way tables that `sample(rake=True)` needs; if not given
            only where there is no budget they would take a fifth of.
        codecs: names of codecs, by column (of columns that only occur together, `a+b`); where none is named, ours for
            its kind. Installed distributions may offer more, see docs/extending/codec.md.

    Raises:
        ConfigError: there is no such model or setting; in `fit` if there is no such codec.

    Example:
        >>> schema = Schema(columns={"x": {"kind": "categorical", "levels": ["a", "b"]}})
        >>> synthesizer = Synthesizer(schema, "independent").fit(pd.DataFrame({"x": ["a", "a", "b"]}))
        >>> synthesizer.sample(4, seed=1).shape
        (4, 1)
    """

    def __init__(
        self,
        schema: Schema,
        model: str = "autoregressive",
        *,
        settings: Mapping[str, Any] | None = None,
        device: str = "auto",
        margins: bool | None = None,
        codecs: Mapping[str, str] | None = None,
    ) -> None:
        known = models()
        if model not in (AUTO, *known):
            msg = f"`model` must be one of {', '.join(sorted((AUTO, *known)))}; however: `{model}`"
            raise ConfigError(msg)
        self.schema = schema
        self.model_name = model
        self.why: str | None = None
        self._settings = dict(settings or {})
        self._config: Any = None
        if model != AUTO:
            record = known[model].Config
            private = is_private(record, self._settings)
            self._config = resolve_settings(model, record, self._settings, private=private)
        self._device = device
        self._wants_margins = margins
        self._codecs = dict(codecs or {})
        self._margins: RakingMargins | None = None
        self._encoder: TableEncoder | None = None
        self._model: RowModel | None = None
        self._dtypes: dict[str, str] = {}
        self.log: TrainingLog | None = None
        self.seed: int | None = None
        self.rows: float | None = None  # units, as told with noise; under a budget only

    def fit(
        self,
        table: pd.DataFrame | TypedTable | LargeTable | Curator,
        *,
        seed: int | None = None,
        max_minutes: float | None = None,
        checkpoint: Checkpoint | None = None,
        progress: Progress | None = None,
        say: Callable[[str], None] | None = None,
        ledger: Ledger | None = None,
        share: float = 1.0,
    ) -> Synthesizer:
        """Learn a table; without a budget, the same seed on the same machine learns the same model.

        Args:
            table: rows, rows that were typed already, rows in files, or the curator that keeps them.
            seed: root of all random choices; drawn and recorded in `seed` if not given.
            max_minutes: a time budget, above 0: as many steps are planned as fit, found by timing a few. What was
                planned is in `settings["steps"]`; the same number asked for gives the same model.
            checkpoint: where the training is kept, to go on with it after it was killed; the same model comes of it.
            progress: called with step, steps and loss.
            say: called with sentences for people: the model chosen, the steps that fit, the memory used.
            ledger: the ledger of the table; with a budget in it, everything that is learned stays inside the budget.
            share: of what is left of that budget, that this fit may spend, in (0, 1].

        Raises:
            SchemaError: the table is not the one the schema describes, or has fewer than two rows.
            ConfigError: the time budget is not above 0; there is a ledger beside that of a curator; the checkpoint
                belongs to another training, or stands beside a privacy budget.
            BudgetExceededError: nothing is left of the budget.
        """
        since = time.monotonic()
        if max_minutes is not None and not max_minutes > 0:
            msg = f"`max_minutes` must be above 0; however: {max_minutes:g}"
            raise ConfigError(msg)
        taken_up = None if checkpoint is None else checkpoint.seed
        self.seed = seed if seed is not None else secrets.randbits(31) if taken_up is None else taken_up
        seeds, device = Seeds(self.seed), choose_device(self._device)
        wish = None if max_minutes is None else 60 * max_minutes
        callbacks = TrainingCallbacks(progress=progress, say=say, seconds=wish, since=since, store=checkpoint)
        curator = curated_table(self, table, ledger, seeds)
        if curator.private:
            refuse_traces_of_rows(callbacks)
        access = curator.access(device)
        choice = chosen(self.model_name, self._settings, self.schema, access, callbacks)
        self.model_name, self._config, self.why = choice.name, choice.config, choice.why or self.why
        kind, margins, codecs = choice.kind, self._wants_margins, self._codecs
        dpsgd = self._config.dpsgd_plan if issubclass(kind, NetworkModel) else None
        access.reserve(FitPlan(coding=kind.coding, dpsgd=dpsgd, margins=margins, share=share, codecs=codecs))
        self._encoder = access.fit_encoder()
        self._margins = access.margins()
        self._model = kind(self._encoder.layout, self._config)
        callbacks.log_all(access.remarks())
        if checkpoint is not None:
            rows = access.batches().n if issubclass(kind, NetworkModel) else None
            checkpoint.begin(self._identity(rows, device.type))
        log = self._model.fit(access, seeds.of("training"), callbacks)
        self.schema = access.schema
        if access.private:
            self.rows = self._model.rows if isinstance(self._model, CountModel) else access.units
            log = replace(log, seconds=0.0, memory=None)  # both follow the rows
        self.log = log
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the fitted model, nothing left open; with them and the seed it is fitted again."""
        _, model = self._fitted()
        chosen = model.config()
        planned = None if self.log is None else self.log.planned
        return chosen if planned is None or "steps" not in chosen else {**chosen, "steps": planned}

    def with_storages(self, stored: Mapping[str, str]) -> Synthesizer:
        """Store samples so, by column, instead of as the schema alone says."""
        self._dtypes = dict(stored)
        self.schema = narrowed(self.schema, self._dtypes)
        return self

    def sample(
        self,
        n: int,
        *,
        given: Mapping[str, Any] | pd.DataFrame | None = None,
        rake: bool | raking.RakeTarget = False,
        seed: int | None = None,
        watermark: WatermarkKey | None = None,
        part: PartOfTable | None = None,
    ) -> pd.DataFrame:
        """Draw new rows; every declared rule holds in every row.

        Args:
            n: how many rows.
            given: values that all rows must have, by column (None for missing), or a frame of n partial rows in
                which missing cells are unknown.
            rake: whether rows are chosen from a pool of several times as many for their one- and two-way tables: to be
                what the training rows tell of the `population` (as if True), or those of the `sample` itself.
                `attrs["synthkit_calibrated"]` of the frame says so, `attrs["synthkit_pool"]` how large the pool was.
            seed: same seed, same rows; drawn if not given. It is kept in `attrs["synthkit_seed"]` of the frame.
            watermark: key by which each row is chosen among several draws, so that `synthkit.watermark.detect` knows
                the table again; `attrs["synthkit_watermark"]` is its name.
            part: which rows of a larger table these are, so that no identifier is in another part of it too.

        Raises:
            ConfigError: the number of rows is negative; a draw that is to be raked is given values or a watermark.
            SchemaError: what is given contradicts the schema or its rules; a pattern has fewer values than n.
            UnsupportedError: the model cannot condition, or was fitted without margins to rake to.

        **Shape**: -> frame of n rows, the schema's columns in order.
        """
        if n < 0:
            msg = f"the number of rows must not be negative; however: {n}"
            raise ConfigError(msg)
        if rake and (given is not None or watermark is not None):
            why = "values are given" if given is not None else "a watermark's key is to choose them"
            msg = f"raked rows match tables of all rows; however: {why}. Leave out one of the two"
            raise ConfigError(msg)
        encoder, model = self._fitted()
        encoder.room_for(n)
        seed = secrets.randbits(31) if seed is None else seed
        seeds = Seeds(seed)
        if given is None:
            first = self._selected(n, model, seeds, "population" if rake is True else rake) if rake else None
            out = sample_valid_rows(n, encoder, model, seeds, first=first, watermark=watermark)
        else:
            completion = self._completion(encoder, model, seeds)
            frame, known = completion.partial(n, given)
            out = watermarked_rows(lambda: completion.fill(frame, known, present=False), watermark, seeds)
        if part is not None:
            out = out.assign(**encoder.numbered_identifiers(part.rows, part.of, part.key))
        out = table_files.as_it_came(out, self.schema, self._dtypes)
        out.attrs["synthkit_seed"] = seed
        if watermark is not None:
            out.attrs["synthkit_watermark"] = watermark.name
        out.attrs["synthkit_calibrated"] = bool(rake)
        if rake:
            out.attrs["synthkit_pool"] = raking.pool_for(self.model_name) * n
        return out

    def impute(self, table: pd.DataFrame, *, seed: int | None = None) -> pd.DataFrame:
        """Fill missing cells with draws from their law given the rest of the row; known cells stay as they are.

        A cell that a rule says must be missing stays missing. Identifiers are kept. Derived columns are computed anew.

        Args:
            table: rows in the schema's columns.
            seed: same seed, same draws.

        Raises:
            SchemaError: known cells are outside the declared domain, or contradict the rules.
            UnsupportedError: the model cannot condition.
        """
        encoder, model = self._fitted()
        seed = secrets.randbits(31) if seed is None else seed
        frame = conform(table, self.schema)
        refuse_foreign(frame, self.schema)
        known = frame.notna()
        some = ~known[list(self.schema.learned)].all(axis=1).to_numpy()
        if some.any():
            part = self._completion(encoder, model, Seeds(seed)).fill(
                frame[some].reset_index(drop=True), known[some].reset_index(drop=True), present=True
            )
            for name in self.schema.learned:
                merged = frame[name].astype(object)
                merged[some] = part[name].astype(object).to_numpy()
                frame[name] = merged
        frame = with_derived(conform(frame, self.schema), self.schema)
        return table_files.as_it_came(frame, self.schema, self._dtypes or storages(table, self.schema))

    def log_prob(self, table: pd.DataFrame) -> NDArray[np.float32]:
        """Log-probability of each row as coded (the position inside a cell not counted), nats. **Shape**: (n,).

        Raises:
            UnsupportedError: the model has no exact likelihood.
        """
        encoder, model = self._fitted()
        if not model.can(Capability.LOG_PROB):
            msg = (
                f"log_prob needs a model with an exact likelihood; however: `{self.model_name}` has none. "
                "Use autoregressive"
            )
            raise UnsupportedError(msg)
        out: NDArray[np.float32] = model.log_prob(encoder.encode(conform(table, self.schema))).cpu().numpy()
        return out

    def anomaly_score(self, table: pd.DataFrame, *, seed: int = 0) -> NDArray[np.float64]:
        """How odd each record is to the model, nats; higher is odder. Scores of real records are INTERNAL.

        Args:
            table: records in the schema's columns; they may break its rules and domains.
            seed: of the latent codes a `tvae` asks.

        Raises:
            UnsupportedError: the model cannot say how improbable a row is.

        **Shape**: (n,), the sums of `anomaly_parts`.
        """
        return np.asarray(self.anomaly_parts(table, seed=seed).sum(axis=1), dtype=np.float64)

    def anomaly_parts(self, table: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
        """The anomaly scores split by column: see `anomaly`. **Shape**: frame of n rows, columns as coded."""
        encoder, model = self._fitted()
        return anomaly_score(encoder, model, conform(table, self.schema), Seeds(seed).torch("anomaly"))

    def save(self, folder: str | Path) -> None:
        """Write the fitted synthesizer as JSON and safetensors; the folder appears whole or not at all."""
        encoder, model = self._fitted()
        card = {
            "model": self.model_name,
            "settings": self.settings,
            "schema": json.loads(self.schema.model_dump_json(by_alias=True, exclude_none=True)),
            "dtypes": self._dtypes,
            "encoder": encoder.to_dict(),
            "log": model_files.log_to_dict(self.log),
            "seed": self.seed,
        }
        tensors = dict(model.tensors())
        if self._margins is not None:
            card["targets"] = self._margins.to_dict()
            tensors |= {MARGINS_PREFIX + name: tensor for name, tensor in self._margins.tensors().items()}
        model_files.save(Path(folder), card, tensors)

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "auto") -> Synthesizer:
        """Read what `save` wrote; no training data are needed.

        Raises:
            ArtefactError: the folder is not a saved synthesizer, is damaged, or has another format.
        """
        card, saved = model_files.load(Path(folder))
        measured = {k.removeprefix(MARGINS_PREFIX): v for k, v in saved.items() if k.startswith(MARGINS_PREFIX)}
        tensors = {k: v for k, v in saved.items() if not k.startswith(MARGINS_PREFIX)}
        known = models()
        if "model" in card and card["model"] not in known:
            msg = f"the model in {folder} must be one of {', '.join(sorted(known))}; however: it is another. "
            raise ArtefactError(msg + "Install the distribution that offers it, or fit again")
        with model_files.undamaged(folder):
            schema = Schema.model_validate(card["schema"])
            out = cls(schema, card["model"], settings=renamed(card["settings"]), device=device)
            out._encoder = TableEncoder.from_dict(card["encoder"], schema)
            out._dtypes, out.seed, kind = card["dtypes"], card["seed"], known[card["model"]]
            out.log = model_files.log_from_dict(card["log"])
        with model_files.LayoutAllowance(Path(folder), saved), model_files.undamaged(folder):
            out._model = kind(out._encoder.layout, out._config)
        model_files.check_tensors(Path(folder), tensors, out._model.tensors())
        with model_files.undamaged(folder):
            out._model.load_tensors(tensors, choose_device(device))
            if "targets" in card:
                out._margins = RakingMargins.from_saved(card["targets"], measured, out._encoder.layout)
        return out

    def _identity(self, rows: float | None, device: str) -> dict[str, Any]:
        """What a training that is taken up must have in common with the one that was begun; rows if it has any."""
        encoder, _ = self._fitted()
        known = {} if rows is None else {"rows": rows}
        return {
            "version": f"{__version__}, torch {torch.__version__}",
            "model": self.model_name,
            "settings": asdict(self._config),
            "seed": self.seed,
            **known,
            "device": device,
            "coding": encoder.to_dict(),
        }

    def _fitted(self) -> tuple[TableEncoder, RowModel]:
        if self._encoder is None or self._model is None:
            msg = "a synthesizer must be fitted first; however: it is not. Call fit(table)"
            raise ConfigError(msg)
        return self._encoder, self._model

    def _selected(self, n: int, model: RowModel, seeds: Seeds, to: raking.RakeTarget) -> Rows:
        """Rows chosen from a pool, still encoded."""
        rng, size = seeds.numpy("choice"), raking.pool_for(self.model_name)
        return raking.draw(model, n, self._margins, seeds.torch("pool"), rng, pool=size, to=to)

    def _completion(self, encoder: TableEncoder, model: RowModel, seeds: Seeds) -> ConditionalSampler:
        if not model.can(Capability.GIVEN):
            msg = (
                f"`given` and `impute` need a model that conditions; however: `{self.model_name}` does not. "
                "Use autoregressive"
            )
            raise UnsupportedError(msg)
        return ConditionalSampler(encoder, model, seeds, REDRAW_ROUNDS)
