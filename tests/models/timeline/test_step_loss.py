"""One clipped gradient a unit: held against autograd on each unit by itself, and against what a unit may move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from bounded_hospital import BOUNDED, hospital

from synthkit.encoding.layout import Rows
from synthkit.encoding.units.sequences import Sequences
from synthkit.encoding.units.unit_steps import UnitSteps
from synthkit.errors import ConfigError
from synthkit.models.timeline.config import TimelineConfig
from synthkit.models.timeline.model import Timeline
from synthkit.models.timeline.network import TimelineNetwork
from synthkit.models.timeline.step_loss import step_loss
from synthkit.models.timeline.unit_loss import BatchSteps, UnitLoss
from synthkit.models.unit_layout import UnitLayout
from synthkit.privacy.access.dummy_units import dummy_units
from synthkit.privacy.access.unit_access import ExactUnitAccess, UnitFitPlan
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.dpsgd.clipping import Clipper, private_gradient
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables
from synthkit.training.matrix_precision import exact

# units of one row, of some, of forty and of five hundred in three tables; two without rows
ROWS = [(1, 0, 0), (0, 0, 1), (0, 0, 0), (2, 5, 3), (10, 20, 10), (60, 300, 140), (3, 4, 0), (0, 0, 0), (1, 2, 9)]
CONFIG = TimelineConfig(width=8, hidden=6, mixed=6, **{k: 0.0 for k in ("dropout", "input_dropout", "swap_noise")})


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)  # torch 2.6 has none
    with exact():
        yield


@pytest.fixture(scope="module")
def coded() -> tuple[Sequences, UnitLayout, Sequences]:
    """The units, their layout, and dummies."""
    schema = LinkedSchema.parse(BOUNDED)
    tables = LinkedTables.of(hospital(ROWS), schema, few=True)
    access = ExactUnitAccess(tables, Ledger.unlimited(unit=None), Seeds(1))
    access.reserve(UnitFitPlan(coding=Timeline.coding, root=Timeline.root_coding))
    encoder = access.fit_encoder()
    sequences, layout = access.batches().sequences, UnitLayout.of(encoder)
    assert (sequences.state.shape[1], sequences.told.shape[1]) == (layout.state, layout.told)
    return sequences, layout, dummy_units(8, encoder)


@pytest.fixture
def network(coded):
    """Weights that start at zero would hide what goes through them."""
    torch.manual_seed(1)
    out = TimelineNetwork(coded[1], CONFIG)
    with torch.no_grad():
        for p in out.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return out.eval()


def clipper(network, coded, clip):
    """As the loader has it: how weights meet rows is found out on dummies."""
    out = Clipper(network, step_loss, clip=clip)
    made_up = UnitSteps.of(coded[2])
    assert all(bool(g.isfinite().all()) for g in out(made_up, torch.arange(len(made_up))))
    return out


def by_unit(network, sequences):
    """Gradient of each unit by autograd, on that unit alone."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    out = {}
    for unit in np.flatnonzero(sequences.lengths):
        loss = UnitLoss(network, sequences, None).of(np.array([unit])).sum()
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        out[int(unit)] = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
    return out


def length(tensors) -> float:
    return float(torch.cat([t.flatten().double() for t in tensors]).norm())


def of_units(sequences, *units: int) -> UnitSteps:
    rows = UnitSteps.of(sequences)
    return rows[torch.from_numpy(np.concatenate([np.flatnonzero(rows.owner == u) for u in units]))]


def labels(rows: UnitSteps) -> torch.Tensor:
    return torch.from_numpy(rows.owner)


def test_units_have_one_row_forty_and_five_hundred(coded):
    assert {0, 1, 40, 500} <= set(coded[0].lengths.tolist())


def test_each_step_costs_what_the_loss_of_units_says(network, coded):
    sequences, units = coded[0], np.array([5, 0, 3, 8, 1])
    batch = BatchSteps.of(sequences, units, None)
    event, payload = UnitLoss(network, sequences, None).parts(batch)
    ours = step_loss(network, of_units(sequences, *units))
    torch.testing.assert_close(ours, event + payload, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("share", [0.02, 0.5, 10.0])
def test_each_unit_is_clipped_as_autograd_says(network, coded, share):
    """All are clipped, some are, none is."""
    sequences = coded[0]
    gradients = by_unit(network, sequences)
    lengths = {unit: length(g) for unit, g in gradients.items()}
    clip = share * max(lengths.values())
    rows = UnitSteps.of(sequences)
    ours = clipper(network, coded, clip)(rows, labels(rows))
    wanted = [sum(g[k] * min(1.0, clip / lengths[u]) for u, g in gradients.items()) for k in range(len(ours))]
    apart = length([a - b for a, b in zip(ours, wanted, strict=True)])
    assert apart < 1e-4 * length(wanted)
    for mine, theirs in zip(ours, wanted, strict=True):
        assert float((mine - theirs).norm()) <= 1e-4 * (float(theirs.norm()) + 0.01 * length(wanted))


def test_every_weight_that_rows_bear_on_is_learned(network, coded):
    rows = UnitSteps.of(coded[0])
    sums = clipper(network, coded, 1.0)(rows, labels(rows))
    names = [name for name, p in network.named_parameters() if p.requires_grad]
    gradients = by_unit(network, coded[0])
    unmoved = {n for k, n in enumerate(names) if not any(bool(g[k].any()) for g in gradients.values())}
    assert {n for n, g in zip(names, sums, strict=True) if not bool(g.any())} == unmoved


def test_dummies_meet_all_weights_but_those_of_the_event_before(network, coded):
    made_up = UnitSteps.of(coded[2])
    sums = clipper(network, coded, 1.0)(made_up, torch.arange(len(made_up)))
    unmoved = [n for (n, _), g in zip(network.named_parameters(), sums, strict=True) if not bool(g.any())]
    assert {n.split(".")[0] for n in unmoved} <= {"latest", "event", "payload", "related", "opened", "words", "roots"}
    assert all(n.startswith("latest") or n.endswith("smooth") or n.endswith("free") for n in unmoved)


@pytest.mark.parametrize("unit", [0, 4, 5])
def test_one_unit_more_moves_the_sum_by_the_clip_norm_at_most(network, coded, unit):
    sequences, clip = coded[0], 0.7
    sums = clipper(network, coded, clip)
    others = [int(u) for u in np.flatnonzero(sequences.lengths) if u != unit]
    less, more = of_units(sequences, *others), of_units(sequences, *others, unit)
    moved = [a - b for a, b in zip(sums(more, labels(more)), sums(less, labels(less)), strict=True)]
    assert 0.99 * clip < length(moved) <= clip * (1 + 1e-4)


def test_a_unit_that_is_not_finite_touches_no_other(network, coded):
    sequences, (rows, sums) = coded[0], (UnitSteps.of(coded[0]), clipper(network, coded, 0.7))
    spoiled = sequences.state.clone()
    spoiled[sequences.offsets[3] : sequences.offsets[4]] = torch.inf
    bad = replace(rows, sequences=replace(sequences, state=spoiled))
    others = of_units(sequences, *(int(u) for u in np.flatnonzero(sequences.lengths) if u != 3))
    for mine, theirs in zip(sums(bad, labels(bad)), sums(others, labels(others)), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_parts_of_a_batch_cut_no_unit_and_add_up(network, coded):
    """In whatever order units stand, and however few rows are worked on at once."""
    rows, found = UnitSteps.of(coded[0]), []
    sums = clipper(network, coded, 0.7)
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(ROWS)))
    for size, names in ((10_000, labels(rows)), (7, order[labels(rows)])):
        private_gradient(
            sums, rows, names, multiplier=1.0, expected=2.0, noise=lambda shape, scale: torch.zeros(shape), size=size
        )
        found.append([p.grad.clone() for p in sums.parameters])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_a_unit_cut_in_two_is_refused(network, coded):
    rows = of_units(coded[0], 4, 5)
    for part in (rows[torch.arange(30)], rows[torch.arange(40).flip(0)]):
        with pytest.raises(ConfigError, match="all steps of a unit must stand together"):
            step_loss(network, part)


def test_plain_rows_are_refused(network):
    with pytest.raises(ConfigError, match="must be told of their steps"):
        step_loss(network, Rows(torch.zeros(3, 1, dtype=torch.long), torch.zeros(3, 0)))


def test_a_table_without_rows_has_a_network_all_the_same(network, coded):
    """Whether there are rows is secret: nothing may stop for it."""
    sequences = coded[0]
    none = {name: rows[torch.arange(0)] for name, rows in sequences.payload.items()}
    visits = of_units(sequences, 1)  # one note
    empty = {**none, "notes": sequences.payload["notes"]}
    alone = replace(visits, sequences=replace(sequences, payload=empty))
    torch.testing.assert_close(step_loss(network, alone), step_loss(network, visits))
