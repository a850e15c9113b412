"""Our private bins and decoder, lent to peers that take codes only: what they cost is not charged to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from synthkit.encoding import Given, TableEncoder
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.model import Marginal
from synthkit.privacy.access.encoder_budget import encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.privacy.accounting.budget_plan import for_counts
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta
from synthkit.schema import Schema
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.public_domain import declared_domain


@dataclass(frozen=True)
class Coded:
    """A bought coding of a table, one integer a column or group of columns.

    Args:
        encoder: whose coarse slots are handed out.
    """

    encoder: TableEncoder

    @classmethod
    def bought(cls, train: pd.DataFrame, schema: Schema, settings: Mapping[str, Any]) -> Coded:
        """The coding that ours would buy of these rows for its share of `epsilon` and `delta`."""
        public = declared_domain(schema)
        allotment = EpsilonDelta(epsilon=float(settings["epsilon"]), delta=float(settings["delta"]))
        budget = for_counts(encoder_queries(public), allotment).encoder_budget
        curator = PrivateCurator.of(train, public)
        return cls(curator.encoder(budget, Marginal.coding, lambda charge: None))

    @property
    def sizes(self) -> list[int]:
        """How many codes each column has."""
        return [self.encoder.layout.sizes[j] for j in self.encoder.layout.coarse]

    def codes(self, train: pd.DataFrame) -> pd.DataFrame:
        """Coded rows. **Shape**: frame of n rows -> (n, coarse slots)."""
        cat = self.encoder.encode(into_domain(train, self.encoder.schema)).cat[:, list(self.encoder.layout.coarse)]
        return pd.DataFrame(cat.numpy().astype(np.int64), columns=[f"c{j}" for j in range(cat.shape[1])])

    def table(self, codes: pd.DataFrame, seed: int) -> pd.DataFrame:
        """Rows of codes, every number drawn inside its bin as ours are. **Shape**: (n, coarse slots) -> n rows."""
        layout = self.encoder.layout
        cat = torch.full((len(codes), len(layout.slots)), -1, dtype=torch.long)
        cat[:, list(layout.coarse)] = torch.from_numpy(codes.to_numpy(dtype=np.int64))
        filler = Marginal(layout, MarginalConfig(components=1))
        rows = filler.sample_given(Given(cat, {}), torch.Generator().manual_seed(seed))
        return self.encoder.decode(rows, np.random.default_rng(seed))[list(self.encoder.schema.learned)]
