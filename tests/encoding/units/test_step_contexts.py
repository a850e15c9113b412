"""Flat tables of steps: what is coded of rows that are there is what was known when they were drawn, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from bounded_hospital import BOUNDED, hospital
from small_hospital import SMALL, small_hospital

from synthkit.encoding.layout import Slot
from synthkit.encoding.units.root_facts import RootFacts
from synthkit.encoding.units.step_contexts import (
    EVENT,
    EVENTS,
    GROUPS,
    STEP_MARKS,
    UNIT,
    ContextSlot,
    FlatSteps,
    StepContexts,
    _grouped,
    coded_events,
    coded_rows,
)
from synthkit.encoding.units.unit_decoder import decode_units
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.models.product_mixture import ProductMixture
from synthkit.models.timeline.unit_sampler import draw_below
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.mixture_laws import FlatMixture, MixtureLaws
from synthkit.models.unit_marginal.model import UnitMarginal
from synthkit.privacy.access.unit_access import ExactUnitAccess, UnitFitPlan
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

PLAN = UnitFitPlan(coding=UnitMarginal.coding, root=UnitMarginal.root_coding)


class HeardMixture(FlatMixture):
    """A mixture that tells what it was asked beside."""

    codes: np.ndarray = np.zeros(0)

    def state(self, sources):
        self.codes = np.concatenate([self.flat.beside(sources), self.flat.before(sources)], axis=1)
        return super().state(sources)


class HeardLaws(MixtureLaws):
    """Laws that keep what every step was drawn beside, by unit and number of the step in it."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.heard: dict[str, dict[tuple[int, int], np.ndarray]] = {n: {} for n in (EVENTS, *self.contexts.tables)}

    def round(self, active, roots, chunk):
        out = super().round(active, roots, chunk)
        self._keep(EVENTS, self.events, active, chunk)
        return out

    def row(self, t, units, now, chunk, *args):
        out = super().row(t, units, now, chunk, *args)
        self._keep(self.contexts.tables[t], self.rows[t], units, chunk)
        return out

    def _keep(self, name, mixture, units, chunk):
        steps = zip(chunk.units[units].tolist(), chunk.memory.index[units].tolist(), mixture.codes, strict=True)
        self.heard[name] |= {(unit, step): codes for unit, step, codes in steps}


def fitted(frames, schema) -> tuple[UnitEncoder, StepContexts]:
    access = ExactUnitAccess(LinkedTables.of(frames, schema), Ledger.unlimited(unit=None), Seeds(0))
    access.reserve(PLAN)
    encoder = access.fit_encoder()
    return encoder, StepContexts(layout=UnitLayout.of(encoder))


def laws_of(contexts: StepContexts, seed: int) -> HeardLaws:
    """Laws that nobody learned: any law will do."""
    generator = torch.Generator().manual_seed(seed)
    mixtures = []
    for flat in (contexts.events(), *(contexts.rows(name) for name in contexts.tables)):
        mixture = ProductMixture(flat.mixed_sizes, 5)
        with torch.no_grad():
            mixture.logits.normal_(0, 1, generator=generator)
        tilts = [torch.randn(each.size, flat.own[j], generator=generator) for j, each in flat.memories]
        mixtures.append(HeardMixture(flat, mixture, tilts))
    return HeardLaws(contexts, contexts.layout.payloads, mixtures[0], mixtures[1:])


def both(frames, schema, units, seed):
    """Codes as they were known while units were drawn, and as they are read off the tables that were drawn."""
    encoder, contexts = fitted(frames, schema)
    laws, rng = laws_of(contexts, seed), np.random.default_rng(seed)
    tables = LinkedTables.of(frames, schema)
    roots = encoder.frames(tables).frames[schema.unit]
    roots = roots.iloc[rng.integers(0, len(roots), units)].reset_index(drop=True)
    drawn = draw_below(encoder, laws, RootFacts.of(encoder, roots), torch.Generator().manual_seed(seed))
    shared = {name: tables.shared[name] for name in tables.shared}
    made = decode_units(encoder, roots, drawn, rng, shared, {})
    again = encoder.frames(LinkedTables.of({**made, **tables.references}, schema))
    sequences = encoder.encode(again)
    flat = {EVENTS: (contexts.events(), coded_events(contexts, sequences, again))}
    flat |= {n: (contexts.rows(n), coded_rows(contexts, sequences, again, n)) for n in contexts.tables}
    place = np.arange(len(sequences.table)) - np.repeat(sequences.offsets[:-1], sequences.lengths)
    read: dict[str, dict[tuple[int, int], np.ndarray]] = {}
    for name, (columns, steps) in flat.items():
        at = place if name == EVENTS else place[sequences.table == contexts.tables.index(name)]
        codes = steps.cat[:, len(columns.own) :]
        read[name] = dict(zip(zip(steps.unit.tolist(), at.tolist(), strict=True), codes, strict=True))
    return contexts, laws.heard, read


def missed(contexts: StepContexts, heard: Mapping, read: Mapping) -> tuple[dict[tuple[str, str, int], int], int]:
    """Steps in which both differ, by flat table, source and slot, and steps compared.

    Units are left out of which rows of two tables stand at one moment in another order: none is before the other.
    """
    out: dict[tuple[str, str, int], int] = {}
    turned = {key[0] for name in heard for key in heard[name].keys() ^ read[name].keys()}
    steps = 0
    for name in heard:
        flat = contexts.events() if name == EVENTS else contexts.rows(name)
        slots = [*flat.contexts, *(each for _, each in flat.memories)]
        for key in (key for key in heard[name] if key[0] not in turned):
            steps += 1
            for k in np.flatnonzero(heard[name][key] != read[name][key]):
                at = (name, slots[k].source, slots[k].slot)
                out[at] = out.get(at, 0) + 1
    return out, steps


WORLDS = {
    "a small hospital": (small_hospital(30), LinkedSchema.parse(SMALL)),
    "three levels": (hospital([(k % 4, k % 9, k % 6) for k in range(30)]), LinkedSchema.parse(BOUNDED)),
}


@pytest.mark.parametrize("world", WORLDS)
def test_what_a_step_stands_beside_is_the_same_while_it_is_drawn_and_once_it_is_there(world):
    """Unit, event, and where it stands to the last; of other rows, the owner's among them, their codes as drawn.

    A few of these are read back as others: an end that would overlap is moved, rows for which there is no place are
    not owed, a value at an edge is rounded over it.
    """
    found, steps = missed(*both(*WORLDS[world], units=16, seed=1))
    assert steps > 30
    assert not {source for _, source, _ in found} & {UNIT, EVENT, STEP_MARKS}
    assert sum(found.values()) < 0.2 * steps


def slot(prior, *, ordinal=True, missing=False) -> Slot:
    p = np.log(np.asarray(prior, dtype=np.float32) / sum(prior))
    return Slot(name="x", size=len(prior), ordinal=ordinal, missing=missing, parent=None, prior=p)


def test_few_levels_stay_as_they_are():
    assert _grouped(slot([1] * GROUPS)).tolist() == list(range(GROUPS))
    assert _grouped(slot([1] * (GROUPS + 1), missing=True)).tolist() == list(range(GROUPS + 1))


def test_levels_with_an_order_are_grouped_into_neighbours_of_equal_share_and_the_missing_one_stands_alone():
    groups = _grouped(slot([1] * 16 + [5], missing=True))
    assert groups.tolist() == [k // 2 for k in range(16)] + [GROUPS]


def test_of_levels_without_an_order_the_commonest_stand_alone():
    groups = _grouped(slot(range(1, 13), ordinal=False))
    assert groups[-7:].tolist() == [6, 5, 4, 3, 2, 1, 0]
    assert set(groups[:5].tolist()) == {GROUPS - 1}


def test_columns_of_a_flat_table_are_its_own_what_stands_beside_it_and_what_came_before():
    beside = ContextSlot(source="a", slot=1, groups=np.array([0, 0, 1]))
    memory = ContextSlot(source="b", slot=0, groups=np.array([0, 1]))
    flat = FlatSteps(own=(4, 5), contexts=(beside,), slots=(0, 2), memories=((1, memory),))
    assert flat.sizes == (4, 5, 3, 3)
    assert flat.mixed_sizes == (4, 5, 3)
    assert flat.remembered == ((1, 3),)
    assert flat.of_source("a") == (2,)
    assert flat.of_source("b") == ()
    sources = {"a": np.array([[9, 2], [9, -1]]), "b": np.array([[-1], [1]])}
    assert flat.beside(sources).tolist() == [[1], [2]]
    assert flat.before(sources).tolist() == [[2], [1]]


def test_a_flat_table_of_nothing_but_its_own_has_no_codes_beside_it():
    flat = FlatSteps(own=(3,), contexts=())
    sources = {"a": np.zeros((5, 1), dtype=np.int64)}
    assert flat.beside(sources).shape == flat.before(sources).shape == (5, 0)


def test_slots_of_a_table_without_rows_have_one_level():
    encoder, contexts = fitted(
        {**small_hospital(8), "visits": small_hospital(8)["visits"].head(0)}, WORLDS["a small hospital"][1]
    )
    assert 0 in encoder.payloads["visits"].layout.sizes
    assert min(contexts.rows("visits").own) == 1
