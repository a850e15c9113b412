"""Learning a table under a budget: the whole plan charged, then the coding bought, then the model fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd
import torch

from synthkit.encoding import TableEncoder
from synthkit.encoding.raking_margins import RakingMargins
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.models import MODELS, Marginal, RowModel, TrainingLog
from synthkit.models.settings import resolve_settings
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.access.encoder_budget import encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator, public_tables
from synthkit.privacy.accounting.budget import MOST_ROWS
from synthkit.privacy.accounting.budget_plan import for_counts, for_gradients
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD
from synthkit.schema import Schema
from synthkit.schema.public_domain import Declared, declared
from synthkit.training.callbacks import TrainingCallbacks


class Learned(NamedTuple):
    """What came of it; nothing in it was not public or paid for.

    Args:
        schema: that of the synthetic table: what was bought is in it.
        encoder: coding of the columns.
        model: fitted.
        log: what training went through.
        rows: number of units as it was told with noise.
        targets: noisy tables that raked draws are to match, None if they were not asked for.
    """

    schema: Schema
    encoder: TableEncoder
    model: RowModel
    log: TrainingLog
    rows: float
    targets: RakingMargins | None


class Work(NamedTuple):
    """What a fit under a budget is asked.

    Args:
        name: of the model.
        settings: of it, by name.
        seed: of initial weights and candidates; noise never follows from it.
        device: where to compute.
        watch: who is told of each step.
        targets: whether tables are measured that raked draws are to match.
        share: of what is left of the budget, that this fit may spend, in (0, 1].
    """

    name: str
    settings: Mapping[str, Any]
    seed: int
    device: torch.device
    watch: TrainingCallbacks
    targets: bool = False
    share: float = 1.0


def learn(table: pd.DataFrame | Curator, schema: Schema, ledger: Ledger, work: Work) -> Learned:
    """Fit a model so that everything told of the table stays inside what is left of a budget.

    Args:
        table: training rows.
        schema: meaning of the columns; lines that were read off the data are bought, or refused.
        ledger: the ledger of the table, with a budget.
        work: what is asked.

    Raises:
        ConfigError: there is a checkpoint, a wish for time, or a curator of exact answers.
        SchemaError: lines of the schema are not public and cannot be bought, or the table is not the schema's.
        BudgetExceededError: nothing is left of the budget; nothing was drawn.
        UnsupportedError: the model cannot be fitted under a budget.
    """
    _refuse_traces(table, work.watch)
    assert isinstance(table, pd.DataFrame)
    kind, public = MODELS[work.name], declared(schema)
    if kind is Marginal:
        return _from_counts(table, public, ledger, work)
    if not hasattr(kind, "Private"):
        msg = (
            f"under a privacy budget a model must learn from noisy answers; however: `{work.name}` cannot. Use marginal"
        )
        raise UnsupportedError(msg)
    return _from_gradients(table, public, ledger, work)


def _from_counts(table: pd.DataFrame, public: Declared, ledger: Ledger, work: Work) -> Learned:
    """One reserve for everything: which tables are told depends on those told before."""
    config = resolve_settings(work.name, Marginal.Config, work.settings)
    curator = PrivateCurator(table, public)
    with ledger.alone():
        left = ledger.left().part(work.share)
        outlay = for_counts(encoder_queries(public), left, targets=_tables(public) if work.targets else 0)
        ledger.charge(outlay.plan, delta=left.delta)

    def pay(charge: Charge) -> None:
        ledger.draw_inside([charge])

    encoder = curator.encoder(outlay.preparation, Marginal.coding, pay)
    targets = None if outlay.targets is None else curator.targets(encoder, outlay.targets, pay)
    counting = curator.counting(encoder, list(encoder.layout.coarse), outlay.rho, pay)
    del curator  # its copies of the table make room
    model = Marginal(encoder.layout, config)
    log = model.fit_counts(counting, work.seed, work.watch, work.device, outcomes=encoder.outcomes)
    return Learned(encoder.schema, encoder, model, _timeless(log), model.rows or 1.0, targets)


def _from_gradients(table: pd.DataFrame, public: Declared, ledger: Ledger, work: Work) -> Learned:
    """A plan fixed before the first draw: the coding, then all steps, with the smallest noise that fits."""
    kind: Any = MODELS[work.name]
    config = resolve_settings(work.name, kind.Private, work.settings)
    budget = ledger.budget
    plan = kind.descent(config, None if budget is None or budget.public_n is None else float(budget.public_n))
    curator = PrivateCurator(table, public)
    with ledger.alone():
        left = ledger.left().part(work.share)
        outlay = for_gradients(
            encoder_queries(public, counted=True),
            left,
            lambda s: CalibratedDPSGD(plan=plan, noise_multiplier=s).charge(),
            targets=_tables(public) if work.targets else 0,
        )
        ledger.charge(outlay.plan, delta=left.delta)
    ledger.begin()

    def paid(charge: Charge) -> None:
        assert charge in outlay.plan

    n = curator.rows(outlay.preparation, paid)
    encoder = curator.encoder(outlay.preparation, kind.coding, paid)
    targets = None if outlay.targets is None else curator.targets(encoder, outlay.targets, paid)
    noisy = CalibratedDPSGD(plan=plan, noise_multiplier=outlay.noise_multiplier or 0.0)
    most = 1 if public.schema.unit is None else (budget and budget.max_rows_per_unit) or MOST_ROWS
    door = curator.training(encoder, noisy, n=n, most=most, device=work.device)
    model = kind(encoder.layout, config)
    log = model.fit(door, work.seed, work.watch)
    return Learned(encoder.schema, encoder, model, _timeless(log), n, targets)


def _tables(public: Declared) -> int:
    """How many tables raked draws of this schema match."""
    return len(public_tables(len(public.schema.learned)))


def _timeless(log: TrainingLog) -> TrainingLog:
    """The log without time and memory, which follow the rows."""
    return replace(log, seconds=0.0, memory=None)


def _refuse_traces(table: pd.DataFrame | Curator, watch: TrainingCallbacks) -> None:
    """Refuse what under a budget would tell of the rows without being paid for.

    Raises:
        ConfigError: there is a checkpoint, a wish for time, or a curator of exact answers.
    """
    if watch.store is not None:
        msg = "a checkpoint needs a training without a budget; however: there is one. Leave the checkpoint out"
        raise ConfigError(msg)
    if watch.seconds is not None:
        msg = "under a budget the plan must not depend on time; however: `max_minutes` is given. Ask for `steps`"
        raise ConfigError(msg)
    if isinstance(table, Curator):
        msg = "under a budget the table itself must be given; however: it is a curator of exact answers. Give the table"
        raise ConfigError(msg)
