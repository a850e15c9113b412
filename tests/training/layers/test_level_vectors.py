"""Vectors of levels: names have one each wherever they stand, cells inside a level of a number are smooth alone."""

from __future__ import annotations

import numpy as np
import torch

from synthkit.encoding.layout import Slot
from synthkit.training.layers.gated_blocks import LevelEmbedding


def slot(*, ordinal: bool, parent: int | None) -> Slot:
    """Of four levels, below a parent of two or none."""
    prior = np.zeros(4 if parent is None else (2, 4), dtype=np.float32)
    return Slot(name="x", size=4, ordinal=ordinal, missing=False, parent=parent, prior=prior)


def test_names_below_a_parent_have_vectors_of_their_own() -> None:
    """A step of a gradient tells levels of names apart, with a parent or without; those of numbers by place alone."""
    slots = (slot(ordinal=False, parent=None), slot(ordinal=False, parent=0), slot(ordinal=True, parent=0))
    values = LevelEmbedding(slots, 3, free=0.0, smooth=0.0)
    torch.autograd.backward((values() * torch.arange(36.0).view(12, 3)).sum())
    assert values.free.grad is not None
    reached = values.free.grad.abs().sum(dim=1) > 0
    assert reached[4:8].all()
    assert not reached[8:].any()
