"""Memory of a training: what autograd keeps is counted exactly, batches are cut to fit, and cut batches train alike."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from torch import nn

from synthkit.encoding import Layout, Rows, Slot
from synthkit.models.autoregressive.config import AutoregressiveConfig
from synthkit.models.autoregressive.model import Autoregressive
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.runtime.seeds import Seeds
from synthkit.training import loop as training_of
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.loop import TrainingPlan, train
from synthkit.training.memory import COPIES, GIB, PASSING, Footprint, MicroBatch, _free_here, footprint, free

CPU = torch.device("cpu")


def layout_of(columns: int, levels: int) -> Layout:
    prior = np.full(levels, -np.log(levels), dtype=np.float32)
    slots = tuple(
        Slot(name=f"v{j}", size=levels, ordinal=j % 2 == 0, missing=False, parent=None, prior=prior)
        for j in range(columns)
    )
    return Layout(slots, tuple(f"v{j}" for j in range(columns)))


def loader_of(layout: Layout, n: int) -> ExactLoader:
    generator = torch.Generator().manual_seed(0)
    cat = torch.cat([torch.randint(k, (n, 1), generator=generator) for k in layout.sizes], dim=1).short()
    return ExactLoader.of(Rows(cat, torch.zeros(n, 0)), layout, None, Seeds(0), CPU)


def test_what_autograd_keeps_is_counted_by_hand():
    """x W^2: the product keeps x (5 floats a row), the square its result (3 floats); x W also keeps W, once."""
    layout = layout_of(5, 2)
    linear = nn.Linear(5, 3, bias=False)
    found = footprint(linear, lambda rows: linear(rows.cat.float()).square().sum(dim=1), layout, CPU)
    assert found.row == round(PASSING * (5 + 3) * 4)
    assert found.fixed == COPIES * 15 * 4 + 0 * 15


def test_the_estimate_bounds_the_weights_and_grows_with_the_table():
    few, many = (
        footprint(net, lambda rows, net=net: training_loss(net, rows), net.layout, CPU)
        for net in (Autoregressive(layout_of(d, 9))._network.train() for d in (10, 40))
    )
    assert 4 * few.row < many.row < 17 * few.row  # between the number of columns and its square
    assert many.of(100) == many.fixed + 100 * many.row


def training_loss(net, rows):
    cat = rows.cat.long()
    return net.nll(cat, net.orders(len(cat), 1.0, CPU))


@pytest.mark.parametrize(("spare", "rows"), [(None, 512), (10**6, 512), (2048, 512), (2047, 256), (300, 64), (3, 1)])
def test_a_batch_is_halved_until_it_takes_half_of_what_is_free(spare, rows):
    assert Footprint(fixed=0, row=2).fitting(512, spare) == rows


def test_odd_batches_are_halved_too():
    assert Footprint(fixed=10, row=1).fitting(7, 24) == 2


def test_what_is_done_for_memory_is_said():
    def said(free, fixed=0):
        out = []
        portion = MicroBatch(Footprint(fixed=fixed, row=GIB), 8, free, out.append)
        return portion.rows, portion.bytes, out

    cut = "a batch would take about 8.0 GiB and 8.0 GiB are free: it is worked off 4 rows at a time, in about 4.0 GiB"
    assert said(8 * GIB) == (4, 4 * GIB, [cut])
    assert said(None) == (8, 8 * GIB, ["training takes about 8.0 GiB of memory"])
    assert said(GIB, fixed=GIB)[2][1] == "even so there may be too little memory: a smaller `width` takes less"
    quiet = []
    MicroBatch(Footprint(fixed=0, row=1), 8, GIB, quiet.append)
    assert quiet == []


def test_a_cut_batch_makes_the_same_step(monkeypatch):
    """Without dropout and orders nothing is drawn, and parts of a batch add up to the batch."""
    layout = layout_of(3, 4)
    config = AutoregressiveConfig(width=8, hidden=4, dropout=0.0, input_dropout=0.0, canonical=1.0, steps=6)
    plan = TrainingPlan(steps=6, batch_size=48, learning_rate=0.01, weight_decay=0.0)
    start, nets, logs = Autoregressive(layout, config)._network, [], []
    for spare in (None, 1):
        monkeypatch.setattr(training_of, "free", lambda device, spare=spare: spare)
        net = Autoregressive(layout, config)._network
        logs.append(train(net, training_loss, loader_of(layout, 150), plan, seed=1))
        nets.append(net)
    begun, whole, cut = (torch.cat([p.detach().ravel() for p in net.parameters()]) for net in (start, *nets))
    assert float((whole - begun).norm()) > 0.1
    assert float((whole - cut).norm()) < 0.2 * float((whole - begun).norm())  # products are in bfloat16
    assert logs[0].train == pytest.approx(logs[1].train, rel=1e-4)
    assert logs[1].memory < logs[0].memory


def test_a_state_brings_its_own_cut():
    portion = MicroBatch(Footprint(fixed=0, row=1), 512, 64, lambda sentence: None)
    other = MicroBatch(Footprint(fixed=0, row=1), 512, None, lambda sentence: None)
    other.restore(portion.state())
    assert (portion.rows, other.rows) == (32, 32)


def test_looking_for_the_footprint_changes_nothing(monkeypatch):
    """A training with a footprint taken twice is the training with it taken once."""
    layout = layout_of(3, 4)
    nets = []
    for times in (1, 3):

        def taken(*words, times=times):
            for _ in range(times):
                found = footprint(*words)
            return found

        monkeypatch.setattr(training_of, "footprint", taken)
        net = Autoregressive(layout, AutoregressiveConfig(width=8, hidden=4).settled(100))._network
        plan = TrainingPlan(steps=5, batch_size=32, learning_rate=0.01, weight_decay=0.0)
        train(net, training_loss, loader_of(layout, 100), plan, seed=1)
        nets.append(net)
        monkeypatch.undo()
    assert all(torch.equal(p, nets[1].get_parameter(name)) for name, p in nets[0].named_parameters())


def test_free_memory_of_a_machine_and_of_a_container(tmp_path):
    meminfo, group = tmp_path / "meminfo", tmp_path / "group"
    meminfo.write_text("MemTotal:       2000 kB\nMemAvailable:   1000 kB\n")
    assert _free_here(meminfo, group) == 1000 * 1024
    group.mkdir()
    (group / "memory.current").write_text("600\n")
    (group / "memory.max").write_text("max\n")
    assert _free_here(meminfo, group) == 1000 * 1024
    (group / "memory.max").write_text("1000\n")
    assert _free_here(meminfo, group) == 400
    (group / "memory.max").write_text("500\n")
    assert _free_here(meminfo, group) == 0
    everything = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert _free_here(tmp_path / "nothing", tmp_path / "nowhere") == everything
    assert 0 < free(CPU) <= everything


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_free_memory_of_a_gpu():
    assert 0 < free(torch.device("cuda")) <= torch.cuda.get_device_properties(0).total_memory


def test_three_hundred_columns_of_a_thousand_levels_train():
    """Two steps of a small network; where a batch does not fit it would be cut, and said."""
    layout = layout_of(300, 1000)
    said = []
    model = Autoregressive(layout, AutoregressiveConfig(width=8, hidden=4, batch_size=32, steps=2))
    log = model.fit_batches(loader_of(layout, 64), 1, TrainingCallbacks(say=said.append))
    assert log.steps == 2
    assert np.isfinite(log.train).all()
    assert log.memory > 300_000 * 8 * 2 * 4
