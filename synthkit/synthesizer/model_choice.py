"""The model of a fit and its settings: those that were asked, those that `auto` chooses, held against the access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthkit.errors import ConfigError, UnsupportedError
from synthkit.models.auto import AUTO, TableSize, choose_model
from synthkit.models.base import Capability, RowModel
from synthkit.models.registry import models
from synthkit.models.settings import suited_settings
from synthkit.privacy.access.data_access import DataAccess
from synthkit.schema import Schema
from synthkit.training.callbacks import TrainingCallbacks


@dataclass(frozen=True, kw_only=True)
class ResolvedModel:
    """A model that a fit can begin with.

    Args:
        name: of the model.
        kind: its class.
        config: its settings, defaults of the access where nothing was asked.
        why: why `auto` chose it; None if it was asked for.
    """

    name: str
    kind: type[RowModel]
    config: Any
    why: str | None = None


def chosen(
    name: str, settings: Mapping[str, Any], schema: Schema, access: DataAccess, callbacks: TrainingCallbacks
) -> ResolvedModel:
    """The model and its settings, refused before the fit where they do not suit the access.

    Args:
        name: of the model, or `auto`.
        settings: that were asked, over those that `auto` chooses.
        schema: meaning of the columns.
        access: what may be learned of the table.
        callbacks: told why a model is chosen.

    Raises:
        ConfigError: there are settings of a privacy budget without one.
        UnsupportedError: the model cannot be fitted under a budget.
    """
    why = None
    if name == AUTO:
        columns = [schema.columns[column] for column in schema.learned]
        numeric = sum(column.kind in ("numeric", "datetime") for column in columns)
        budget = access.ledger.budget
        size = TableSize(
            rows=access.rows(),
            columns=len(columns),
            numeric=numeric,
            device=access.device.type,
            epsilon=None if budget is None else budget.epsilon,
            units=None if budget is None else budget.public_n,
        )
        choice = choose_model(size)
        name, why, settings = choice.model, choice.why, {**choice.settings, **settings}
        callbacks.log(why)
    kind = models()[name]
    if access.private and not kind.can(Capability.BUDGET):
        msg = f"under a privacy budget a model must learn from noisy answers; however: `{name}` cannot. Use marginal"
        raise UnsupportedError(msg)
    config = suited_settings(name, kind.Config, settings, private=access.private)
    return ResolvedModel(name=name, kind=kind, config=config, why=why)


def refuse_traces_of_rows(callbacks: TrainingCallbacks) -> None:
    """Refuse what under a budget would tell of the rows without being paid for.

    Raises:
        ConfigError: there is a checkpoint, or a time budget.
    """
    if callbacks.store is not None:
        msg = "a checkpoint needs a training without a budget; however: there is one. Leave the checkpoint out"
        raise ConfigError(msg)
    if callbacks.seconds is not None:
        msg = "under a budget the plan must not depend on time; however: `max_minutes` is given. Ask for `steps`"
        raise ConfigError(msg)
