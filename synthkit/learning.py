"""Learning a table under a budget: the whole plan charged, then the coding bought, then the model fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd
import torch

from synthkit.encode import TableEncoder
from synthkit.encode.counting import Counting
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.models import MODELS, Marginal, RowModel, TrainingLog
from synthkit.nn.watch import Watch
from synthkit.privacy.book import ChargeBook
from synthkit.privacy.charges import Charge
from synthkit.privacy.curator import Curator
from synthkit.privacy.outlay import for_counts
from synthkit.privacy.preparation import questions
from synthkit.privacy.private import PrivateCurator
from synthkit.schema import Schema
from synthkit.schema.declared import declared


class Learned(NamedTuple):
    """What came of it; nothing in it was not public or paid for.

    Args:
        schema: that of the synthetic table: what was bought is in it.
        encoder: coding of the columns.
        model: fitted.
        log: what training went through.
        rows: number of units as it was told with noise.
    """

    schema: Schema
    encoder: TableEncoder
    model: RowModel
    log: TrainingLog
    rows: float


def learn(
    table: pd.DataFrame | Curator,
    schema: Schema,
    asked: tuple[str, Any],
    book: ChargeBook,
    *,
    seed: int,
    device: torch.device,
    watch: Watch,
) -> Learned:
    """Fit a model so that everything told of the table stays inside what is left of a budget.

    Args:
        table: training rows.
        schema: meaning of the columns; lines that were read off the data are bought, or refused.
        asked: name of the model, and its settings.
        book: the ledger of the table, with a budget.
        seed: of initial weights and candidates; noise never follows from it.
        device: where to compute.
        watch: who is told of each step.

    Raises:
        ConfigError: there is a checkpoint, a wish for time, or a curator of exact answers.
        SchemaError: lines of the schema are not public and cannot be bought, or the table is not the schema's.
        BudgetExceededError: nothing is left of the budget; nothing was drawn.
        UnsupportedError: the model cannot be fitted under a budget.
        TableError: no level of a column is shared by enough units to be told.
    """
    _refuse_traces(table, watch)
    assert isinstance(table, pd.DataFrame)
    name, config = asked
    kind = MODELS[name]
    if not issubclass(kind, Marginal):
        msg = f"under a privacy budget a model must learn from noisy answers; however: `{name}` cannot. Use marginal"
        raise UnsupportedError(msg)
    public = declared(schema)
    curator = PrivateCurator(table, public)
    outlay = for_counts(questions(public), book.left())
    book.charge(outlay.plan)
    encoder = curator.encoder(outlay.preparation, kind.coding, _payer(book))
    counting: Counting = curator.counting(encoder, list(encoder.layout.coarse), outlay.rho, _payer(book))
    model = kind(encoder.layout, config)
    log = replace(model.fit_counts(counting, seed, watch, device), seconds=0.0, memory=None)  # both follow the rows
    return Learned(schema=encoder.schema, encoder=encoder, model=model, log=log, rows=model.rows or 1.0)


def _payer(book: ChargeBook) -> Callable[[Charge], None]:
    """Puts what is drawn down in the reserve that was charged, on disk before the draw."""
    return lambda charge: book.draw_inside([charge])


def _refuse_traces(table: pd.DataFrame | Curator, watch: Watch) -> None:
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
