"""Broken twins of the access to linked tables: each is ours but for one fault, which an audit must find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthkit.audit.linked_fits import shipped_access
from synthkit.audit.tiny_hospital import TINY_HOSPITAL
from synthkit.privacy.access.bounded_units import bounded_units, mapped_units
from synthkit.privacy.access.linked_counts import NoisyLinkedCounts
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.access.unit_counts import UnitCounting
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.mechanisms.stacked_counts import CountedRows, StackedCounts
from synthkit.schema.linked.linked_table import LinkedTable


class RowByRow(UnitCounting):
    """Each row is clipped by itself, however many a patient has."""

    def counted(self, scope, weight):
        rows = super().counted(scope, weight)
        return replace(rows, owner=np.arange(len(rows.owner)))


class RowsClipped(PrivateUnitAccess):
    """(a) Rows instead of patients below the patients."""

    def below(self, contexts):
        parts = super().below(contexts).parts
        return NoisyLinkedCounts({name: RowByRow(**vars(part)) for name, part in parts.items()})


class LastFree(NoisyLinkedCounts):
    """The tables of one part are told beside the others, for nothing."""

    def measure(self, asked):
        free = [replace(each, counting=replace(each.counting, pay=lambda charge: None)) for each in asked[-1:]]
        return [*super().measure(asked[:-1]), *super().measure(free)]


class OneTableUncharged(PrivateUnitAccess):
    """(b) Counts of laboratory values are told and not charged."""

    def below(self, contexts):
        return LastFree(super().below(contexts).parts)


class TablesUncharged(PrivateUnitAccess):
    """No table of counts below the patients is charged."""

    def below(self, contexts):
        parts = super().below(contexts).parts
        return NoisyLinkedCounts({name: replace(part, pay=lambda charge: None) for name, part in parts.items()})


class Cheaper(NoisyLinkedCounts):
    """Tables are told for four times the price, which makes half the noise."""

    def measure(self, asked):
        return super().measure([replace(each, rho=4 * each.rho) for each in asked])


class HalfTheNoise(PrivateUnitAccess):
    """Counts below the patients have half the noise that is charged."""

    def below(self, contexts):
        parts = super().below(contexts).parts
        return Cheaper({name: replace(part, pay=self._pay_a_quarter) for name, part in parts.items()})

    def _pay_a_quarter(self, charge):
        name = next(n for n in ("noise_multiplier", "scale") if hasattr(charge.spent, n))
        self._pay(replace(charge, spent=replace(charge.spent, **{name: 2 * getattr(charge.spent, name)})))


class FanOutUnclipped(PrivateUnitAccess):
    """(d) How many rows there are is told of all of them, with noise for those of the usual patient."""

    def below(self, contexts):
        counting = super().below(contexts)
        for part in counting.parts.values():
            every, nowhere = np.arange(len(part.owner)), np.zeros(len(part.owner), dtype=np.int64)
            told = StackedCounts(norm=part.most, noise_multiplier=1000.0)
            self._pay(Charge(what="number of rows", spent=told.spent))
            told.told([CountedRows(owner=every, cell=nowhere, size=1)])
        return counting


def of_data(tables, schema):
    """The schema with the most rows that anybody has for a bound."""
    changed = dict(schema.tables)
    for name in schema.graph.owners:
        link = schema.tables[name].owner
        most = int(tables[name].groupby(list(link.columns)).size().max())
        owner = link.model_copy(update={"max_rows_per_owner": most})
        table = {field: getattr(schema.tables[name], field) for field in LinkedTable.model_fields}
        links = tuple(owner if each == link else each for each in table["links"])
        changed[name] = LinkedTable.model_construct(**table | {"links": links, "max_rows_per_unit": None})
    return schema.model_copy(update={"tables": changed})


def adopted(tables):
    """The tables in which rows of nobody are given to whoever comes first."""
    out, owners = dict(tables), {"visits": ("patient", "patients"), "labs": ("visit", "visits")}
    for name, (key, owner) in owners.items():
        known = out[name][key].isin(out[owner][key])
        out[name] = out[name].assign(**{key: out[name][key].where(known, out[owner][key].iloc[0])})
    return out


def bound_of_data(tables, ledger):
    """(c) The bound on rows is what the tables show."""
    return PrivateUnitAccess(tables, of_data(tables, TINY_HOSPITAL), ledger)


ROW_TWINS = {
    "fan-out not clipped": lambda tables, schema: mapped_units(tables, schema).tables,
    "bound of the data": lambda tables, schema: bounded_units(tables, of_data(tables, schema)),
    "orphans given to somebody": lambda tables, schema: bounded_units(adopted(tables), schema),
}
PATIENT_TWINS = {
    "rows are clipped": lambda tables, ledger: RowsClipped(tables, TINY_HOSPITAL, ledger),
    "one table uncharged": lambda tables, ledger: OneTableUncharged(tables, TINY_HOSPITAL, ledger),
    "bound of the data": bound_of_data,
    "fan-out not clipped": lambda tables, ledger: FanOutUnclipped(tables, TINY_HOSPITAL, ledger),
    "orphans given to somebody": lambda tables, ledger: shipped_access(adopted(tables), ledger),
    "half the noise": lambda tables, ledger: HalfTheNoise(tables, TINY_HOSPITAL, ledger),
}
PLAN_TWINS = {
    "rows are clipped": PATIENT_TWINS["rows are clipped"],
    "half the noise": PATIENT_TWINS["half the noise"],
    "no table charged": lambda tables, ledger: TablesUncharged(tables, TINY_HOSPITAL, ledger),
}
