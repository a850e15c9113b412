"""Units nobody has: what a network of units is tried out on where no real unit may be looked at."""

from __future__ import annotations

import numpy as np
import torch

from synthkit.encoding.units.feature_widths import feature_widths
from synthkit.encoding.units.sequences import Sequences
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.encoding.units.unit_steps import EVERY_TABLE
from synthkit.training.dummy_rows import dummy_rows


def dummy_units(n: int, encoder: UnitEncoder) -> Sequences:
    """Units nobody has, of one step each, which is a row of every table, its own owner and its own forerunner.

    On them a network is tried out where no real unit may be looked at: all its weights meet them.

    Args:
        n: how many.
        encoder: whose slots they have.
    """
    generator, own = torch.Generator().manual_seed(0), np.arange(n)
    state, told = feature_widths(encoder)
    layouts = {name: each.layout for name, each in encoder.payloads.items()}
    return Sequences(
        offsets=np.arange(n + 1),
        table=np.full(n, EVERY_TABLE),
        row=own,
        owner=own,
        event=dummy_rows(n, encoder.events.layout, generator).cat,
        free=np.ones(n, dtype=bool),
        state=torch.randn(n, state, generator=generator),
        told=torch.randn(n, told, generator=generator),
        payload={name: dummy_rows(n, each, generator) for name, each in layouts.items()},
        twin=own,
        twin_place=np.zeros(n, dtype=np.int64),
        twin_rank=np.zeros(n, dtype=np.int64),
        moment=own,
        roots=dummy_rows(n, encoder.root.layout, generator),
    )
