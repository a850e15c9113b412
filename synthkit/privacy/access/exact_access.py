"""Access without a budget: exact answers, each charged as an infinite loss before it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import torch

from synthkit.encoding import rare_code_notes
from synthkit.encoding.coding import Coding
from synthkit.encoding.column_groups import coded, groupings
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.encoder import TableEncoder, count
from synthkit.encoding.found_forms import FoundForms, recoding_of
from synthkit.encoding.gaps import NumberGap
from synthkit.encoding.histogram_query import Histogram, Query
from synthkit.encoding.own_values import OwnValues
from synthkit.encoding.plain_numbers import steps_of, with_steps
from synthkit.encoding.raking_margins import RakingMargins, tables_of, tabulate
from synthkit.encoding.value_links import Comparing, Nearness, compare
from synthkit.privacy.access.counts import ExactCounting
from synthkit.privacy.access.data_access import FitPlan, fitted
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import NonPrivate
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.infer.lattices import found_keys, is_silent, shortened_alike
from synthkit.schema.unit_keys import unit_keys

MAX_ROWS_COMPARED = 20_000  # rows looked at to see which numbers lie near others


class ExactAccess:
    """Exact answers about one training table; see `DataAccess`.

    Args:
        table: training rows in canonical dtypes.
        schema: meaning of the columns.
        ledger: where every look is written down.
        seeds: for the order of batches and the choice of rows held back.
        device: where a model computes.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        schema: Schema,
        ledger: Ledger,
        seeds: Seeds,
        device: torch.device | str = "cpu",
    ) -> None:
        self._table = table
        self._coded = Recoding.of(schema).forward(table)
        self._seeds = seeds
        self._plan = FitPlan(coding=Coding())
        self._encoder: TableEncoder | None = None
        self._loader: ExactLoader | None = None
        self.schema = schema
        self.ledger = ledger
        self.device = torch.device(device)

    @property
    def private(self) -> bool:
        """No."""
        return False

    @property
    def units(self) -> float | None:
        """None: nobody asks with noise."""
        return None

    @property
    def encoder(self) -> TableEncoder:
        """The fitted encoder.

        Raises:
            ConfigError: none is fitted yet.
        """
        return fitted(self._encoder)

    def reserve(self, plan: FitPlan) -> None:
        """Nothing is charged beforehand."""
        self._plan = plan

    def fit_encoder(self) -> TableEncoder:
        """The coding that the training rows suggest, with links between numbers that lie near each other."""
        coding = self._plan.coding
        steps = self._steps()
        forms = FoundForms(steps=steps, own=self._own_values(steps, coding))
        self._coded = recoding_of(self.schema, forms).forward(self._table)
        plain = TableEncoder.fit(self.schema, self.ask, coding, chosen=self._plan.codecs, found=forms)
        self._encoder = plain.with_links(self.compare, coding.links)
        return self._encoder

    def _steps(self) -> dict[str, dict[str, object]]:
        """The lattices of numbers of which the schema says nothing, charged before they are looked for."""
        silent = [name for name in self.schema.learned if is_silent(self.schema.columns[name])]
        if not silent:
            return {}
        self._charge("steps of the numbers of one column", times=len(silent))
        found = {name: found_keys(self._table[name], self.schema.columns[name]) for name in silent}
        alike = shortened_alike(with_steps(self.schema, found).columns, self.schema.rules)
        return {name: keys for name in silent if (keys := steps_of(alike[name]))}

    def _own_values(self, steps: Mapping[str, Mapping[str, object]], coding: Coding) -> dict[str, OwnValues]:
        """Values that columns of gaps keep as they are, charged before they are looked for."""
        recoding = recoding_of(self.schema, FoundForms(steps=steps))
        gaps = [each for each in recoding.gaps if isinstance(each, NumberGap)]
        if not gaps:
            return {}
        self._charge("values of a column beside its gaps", times=len(gaps))
        numbers = recoding.numbers(self._table)
        found = {each.column: each.own_values(numbers, coding.rare) for each in gaps}
        return {name: own for name, own in found.items() if own is not None}

    def ask(self, queries: Sequence[Query]) -> list[Histogram]:
        """Histograms of coded columns, charged before they are counted. **Shape**: q queries -> q histograms."""
        if queries:
            self._charge(*(f"histogram of {', '.join(query.columns)}" for query in queries))
        return [count(self._coded, query) for query in queries]

    def compare(self, questions: Sequence[Comparing]) -> list[Nearness]:
        """How near numbers lie to others, charged before it is looked at; on a sample of the rows.

        **Shape**: q questions -> q answers.
        """
        if not questions:
            return []
        self._charge(f"nearness of {len(questions)} pairs of columns")
        looked = self._coded
        if len(looked) > MAX_ROWS_COMPARED:
            looked = looked.iloc[self._seeds.numpy("compared").choice(len(looked), MAX_ROWS_COMPARED, replace=False)]
        return [compare(looked, question) for question in questions]

    def rows(self) -> int:
        """How many training rows there are, charged before it is told."""
        self._charge("number of rows")
        return len(self._table)

    def margins(self) -> RakingMargins | None:
        """Tables of grouped columns, charged before they are counted; rare cells are pooled."""
        if self._plan.margins is False:
            return None
        found = groupings(self.encoder)
        tables = tables_of(len(found), self._seeds.numpy("targets"))
        self._charge("one- or two-way table of grouped columns", times=len(tables))
        codes = coded(self.encoder.encode(self._table).cat.numpy(), found)
        return RakingMargins.of(found, tables, tabulate(codes, found, tables))

    def counts(self) -> ExactCounting:
        """Exact counts of the coarse slots of the encoded rows, charged before they are counted."""
        self._charge("tables of counts, as the model asks for them")
        layout = self.encoder.layout
        slots = list(layout.coarse)
        cat = self.encoder.encode(self._table).cat.numpy()[:, slots]
        return ExactCounting.of(cat, tuple(layout.sizes[j] for j in slots))

    def batches(self) -> ExactLoader:
        """Encoded rows, charged before they are handed out, a part of the units held back for early stopping."""
        if self._loader is None:
            self._charge("all training rows")
            unit = self.schema.unit
            units = None if unit is None else unit_keys(self._table[unit], self.schema.columns[unit])
            rows = self.encoder.encode(self._table)
            self._loader = ExactLoader.of(rows, self.encoder.layout, units, self._seeds, self.device)
        return self._loader

    def remarks(self) -> Iterator[str]:
        """A sentence for each catalogue of which most codes were too rare."""
        return rare_code_notes.pooled_codes(self.encoder)

    def _charge(self, *whats: str, times: int = 1) -> None:
        """Put down what is about to be told exactly.

        Raises:
            BudgetExceededError: there is a budget, which an exact answer always exceeds.
        """
        self.ledger.charge([Charge(what=what, spent=NonPrivate(), times=times) for what in whats])
