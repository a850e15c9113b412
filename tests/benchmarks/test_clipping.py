"""Private and plain steps are there to be timed, each in its network."""

from __future__ import annotations

import pytest
import torch

from benchmarks.load import clipping

CASES = [(network, step) for network, steps in clipping.cases(8, 8).items() for step in steps]


@pytest.mark.filterwarnings("ignore:Full backward hook", "ignore:In CPU autocast")  # of Opacus
@pytest.mark.parametrize(("network", "name"), CASES)
def test_every_step_runs(network, name):
    torch.manual_seed(0)
    steps = {name: clipping.cases(8, 8)[network][name]}
    assert clipping.milliseconds(steps, repeats=1)[name] > 0


def test_the_first_time_is_not_counted():
    calls = []
    clipping.milliseconds({"one": lambda: calls.append(1)}, repeats=3)
    assert len(calls) == 4
