"""Access without a budget to a table that is larger than memory: the same exact answers, by scans and one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit.encoding import rare_code_notes
from synthkit.encoding.coding import Coding
from synthkit.encoding.column_groups import ColumnGroups, coded, groupings
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.found_forms import FoundForms, recoding_of
from synthkit.encoding.gaps import NumberGap
from synthkit.encoding.histogram_query import Histogram, Query
from synthkit.encoding.layout import Rows
from synthkit.encoding.own_values import OwnValues
from synthkit.encoding.plain_numbers import steps_of, with_steps
from synthkit.encoding.raking_margins import RakingMargins, tables_of, tabulate
from synthkit.encoding.value_links import Comparing, Nearness, compare
from synthkit.engine.coded_table import CodedTable, write_coded
from synthkit.engine.parquet_sql import rows_drawn
from synthkit.engine.source_histograms import MOST_VALUES, SourceHistograms
from synthkit.errors import TableError
from synthkit.privacy.access.coded_loader import CodedLoader
from synthkit.privacy.access.counts import ExactCounting
from synthkit.privacy.access.data_access import FitPlan, fitted
from synthkit.privacy.access.exact_access import MAX_ROWS_COMPARED
from synthkit.privacy.access.stored_tables import StoredTables
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import NonPrivate
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.infer.lattices import found_keys_of, is_silent, shortened_alike
from synthkit.schema.number_cells import numbers
from synthkit.schema.unit_keys import unit_keys

if TYPE_CHECKING:
    from synthkit.engine.source import Source
    from synthkit.engine.workplace import Workplace

Table = tuple[int, ...]


class SourceAccess:
    """Exact answers about rows of a source; see `DataAccess`.

    Histograms come of one scan each. The rows are encoded once, into a folder of the fit's own; tables that raked draws
    are to match are counted in the same pass.

    Args:
        source: training rows.
        schema: meaning of the columns.
        ledger: where every look is written down.
        seeds: for the order of batches, the choice of rows held back and of rows that stand for all.
        place: where files of the fit lie.
        device: where a model computes.
    """

    def __init__(
        self,
        source: Source,
        schema: Schema,
        ledger: Ledger,
        seeds: Seeds,
        place: Workplace,
        device: torch.device | str = "cpu",
    ) -> None:
        self._source, self._seeds, self._place = source, seeds, place
        self._histograms = SourceHistograms(source=source, duck=place.duck, seed=seeds.of("values"))
        self._recoding = Recoding.of(schema)
        self._plan = FitPlan(coding=Coding())
        self._encoder: TableEncoder | None = None
        self._stored: CodedTable | None = None
        self._loader: CodedLoader | None = None
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
        self._recoding = recoding_of(self.schema, forms)
        plain = TableEncoder.fit(self.schema, self.ask, coding, chosen=self._plan.codecs, found=forms)
        self._encoder = plain.with_links(self.compare, coding.links)
        return self._encoder

    def _steps(self) -> dict[str, dict[str, object]]:
        """The lattices of numbers of which the schema says nothing, charged before they are looked for."""
        silent = [name for name in self.schema.learned if is_silent(self.schema.columns[name])]
        if not silent:
            return {}
        self._charge("steps of the numbers of one column", times=len(silent))
        found = {name: found_keys_of(*self._values(name), self.schema.columns[name]) for name in silent}
        alike = shortened_alike(with_steps(self.schema, found).columns, self.schema.rules)
        return {name: keys for name in silent if (keys := steps_of(alike[name]))}

    def _values(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Finite numbers of a column, ascending, and rows that have each. **Shape**: (v,), (v,)."""
        told = self._histograms.cells(name)
        x = numbers(told.cells[name])
        kept = np.flatnonzero(np.isfinite(x))
        distinct, at = np.unique(x[kept], return_inverse=True)
        return distinct, np.bincount(at, weights=told.counts[kept], minlength=len(distinct)).astype(np.int64)

    def _own_values(self, steps: Mapping[str, Mapping[str, object]], coding: Coding) -> dict[str, OwnValues]:
        """Values that columns of gaps keep as they are, charged before they are looked for; a million rows tell."""
        recoding = recoding_of(self.schema, FoundForms(steps=steps))
        gaps = [each for each in recoding.gaps if isinstance(each, NumberGap)]
        if not gaps:
            return {}
        self._charge("values of a column beside its gaps", times=len(gaps))
        needed = recoding.needed([each.column for each in gaps])
        looked = recoding.numbers(
            rows_drawn(self._source, self._place.duck, MOST_VALUES, self._seeds.of("gaps"), needed)
        )
        found = {each.column: each.own_values(looked, coding.rare) for each in gaps}
        return {name: own for name, own in found.items() if own is not None}

    def ask(self, queries: Sequence[Query]) -> list[Histogram]:
        """Histograms of coded columns, charged before they are counted. **Shape**: q queries -> q histograms."""
        if queries:
            self._charge(*(f"histogram of {', '.join(query.columns)}" for query in queries))
        return [self._histograms.count(self._recoding, query) for query in queries]

    def compare(self, questions: Sequence[Comparing]) -> list[Nearness]:
        """How near numbers lie to others, charged before it is looked at; on a sample of the rows.

        **Shape**: q questions -> q answers.
        """
        if not questions:
            return []
        self._charge(f"nearness of {len(questions)} pairs of columns")
        names = list(dict.fromkeys(name for each in questions for name in (each.target, each.source)))
        needed = self._recoding.needed(names)
        seed = self._seeds.of("compared")
        looked = rows_drawn(self._source, self._place.duck, MAX_ROWS_COMPARED, seed, needed)
        found = self._recoding.coded(looked, names)
        return [compare(found, question) for question in questions]

    def rows(self) -> int:
        """How many training rows there are, charged before it is told."""
        self._charge("number of rows")
        return self._source.rows

    def margins(self) -> RakingMargins | None:
        """Tables of grouped columns, charged before they are counted; rare cells are pooled."""
        if self._plan.margins is False:
            return None
        found = groupings(self.encoder)
        tables = tables_of(len(found), self._seeds.numpy("targets"))
        self._charge("one- or two-way table of grouped columns", times=len(tables))
        counting = _Tabulated(found, tables)
        if self._stored is None:
            self._encode(counting)
        else:
            for part in self._stored.parts():
                counting(part)
        return RakingMargins.of(found, tables, counting.counts)

    def counts(self) -> ExactCounting:
        """Exact counts of the coarse slots of the encoded rows, charged before they are counted."""
        self._charge("tables of counts, as the model asks for them")
        layout = self.encoder.layout
        slots = tuple(layout.coarse)
        return ExactCounting(StoredTables.of_slots(self._coded(), slots))

    def batches(self) -> CodedLoader:
        """Encoded rows, charged before they are handed out, a part of the units held back for early stopping."""
        if self._loader is None:
            self._charge("all training rows")
            self._loader = CodedLoader.of(self._coded(), self.encoder.layout, self._seeds, self.device)
        return self._loader

    def remarks(self) -> Iterator[str]:
        """A sentence for each catalogue of which most codes were too rare."""
        return rare_code_notes.pooled_codes(self.encoder)

    def _coded(self) -> CodedTable:
        return self._encode(None) if self._stored is None else self._stored

    def _encode(self, also: _Tabulated | None) -> CodedTable:
        """The one pass in which all rows are encoded."""
        units = None if self.schema.unit is None else self._units
        self._stored = write_coded(self._source, self.encoder, self._place.room("coded"), also=also, units=units)
        return self._stored

    def _units(self, batch: pd.DataFrame) -> NDArray[np.uint64]:
        """A key of each row's unit, that follows from its cell alone. **Shape**: (n,) -> (n,).

        Raises:
            TableError: a row names no unit.
        """
        assert self.schema.unit is not None
        keys = unit_keys(batch[self.schema.unit], self.schema.columns[self.schema.unit])
        if (without := int(keys.isna().sum())) > 0:
            msg = (
                f"every row must name its unit in `{self.schema.unit}`; however: {without:,} of "
                f"{len(keys):,} rows do not. Fill the cells or drop the rows"
            )
            raise TableError(msg)
        return np.asarray(pd.util.hash_array(keys.to_numpy(dtype=object), categorize=True), dtype=np.uint64)

    def _charge(self, *whats: str, times: int = 1) -> None:
        """Put down what is about to be told exactly.

        Raises:
            BudgetExceededError: there is a budget, which an exact answer always exceeds.
        """
        self.ledger.charge([Charge(what=what, spent=NonPrivate(), times=times) for what in whats])


class _Tabulated:
    """Tables of grouped columns, summed over the parts that it is called with."""

    def __init__(self, found: tuple[ColumnGroups, ...], tables: Sequence[Table]) -> None:
        self._found, self._tables = found, tables
        self.counts = [np.zeros(int(np.prod([found[k].size for k in table])), dtype=np.int64) for table in tables]

    def __call__(self, rows: Rows) -> None:
        codes = coded(rows.cat.numpy(), self._found)
        for total, part in zip(self.counts, tabulate(codes, self._found, self._tables), strict=True):
            np.add(total, part, out=total)
