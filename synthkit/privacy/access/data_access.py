"""What a fit may learn of real rows: one protocol, answered exactly or with noise that was charged before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch

from synthkit.encoding.coding import Coding
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.raking_margins import RakingMargins
from synthkit.encoding.slot_counts import Counting
from synthkit.errors import ConfigError
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.schema import Schema
from synthkit.training.loader import TrainingLoader


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """What a fit is going to ask, all of it known before a row is looked at.

    Args:
        coding: how finely the model wants its numbers cut.
        dpsgd: the plan of a training, given the number of units if it is public; None for a model of counts.
        margins: whether tables are measured that raked draws are to match; None to measure them where that costs
            nothing of a budget.
        share: of what is left of a budget, that this fit may spend, in (0, 1].
        codecs: names of codecs, by coded column; where none is named, ours for its kind.
    """

    coding: Coding
    dpsgd: Callable[[float | None], DPSGDPlan] | None = None
    margins: bool | None = None
    share: float = 1.0
    codecs: Mapping[str, str] = field(default_factory=dict)


class DataAccess(Protocol):
    """The one way from real rows to a fitted model; the curator hands it out.

    In order: `reserve` charges whatever must be charged before the first answer, `fit_encoder` asks for histograms,
    `margins` for tables that raked draws are to match, and the model asks for `counts` or `batches`.
    """

    @property
    def private(self) -> bool:
        """Whether there is a budget, so that answers have noise."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Where every look is written down, with the terms of a budget."""
        ...

    @property
    def schema(self) -> Schema:
        """Meaning of the columns as far as it is public; once the encoder is fitted, that of the synthetic table."""
        ...

    @property
    def device(self) -> torch.device:
        """Where a model computes."""
        ...

    @property
    def encoder(self) -> TableEncoder:
        """The fitted encoder."""
        ...

    @property
    def units(self) -> float | None:
        """Number of units as it was told with noise; None where it was not asked for."""
        ...

    def rows(self) -> float | None:
        """How many rows there are, to choose a model by; None under a budget, which is not spent on that."""
        ...

    def reserve(self, plan: FitPlan) -> None:
        """Charge what must be charged before anything is drawn; exact answers are charged as they are asked.

        Raises:
            BudgetExceededError: nothing is left of the budget; nothing was drawn.
        """
        ...

    def fit_encoder(self) -> TableEncoder:
        """Fit the coding of the columns to histograms."""
        ...

    def margins(self) -> RakingMargins | None:
        """One- and two-way tables of grouped columns; None if the plan has none."""
        ...

    def counts(self) -> Counting:
        """Counts of the coarse slots of the encoded rows, for a model that learns from nothing else."""
        ...

    def batches(self) -> TrainingLoader:
        """The loader of the encoded rows; the same one whenever it is asked for."""
        ...

    def remarks(self) -> Iterable[str]:
        """Sentences for people on what of the table could not be learned."""
        ...


def fitted(encoder: TableEncoder | None) -> TableEncoder:
    """The encoder, once it is fitted.

    Raises:
        ConfigError: none is fitted yet.
    """
    if encoder is None:
        msg = "an encoder must be fitted before rows are encoded; however: none is. Call fit_encoder()"
        raise ConfigError(msg)
    return encoder
