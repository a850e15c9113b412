"""Moments that noise has placed ages apart are drawn from all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_hospital import SMALL, small_hospital

from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer


def test_numbers_far_beyond_those_of_training_overflow_nothing() -> None:
    """Times are told on a scale that is off by fifteen orders of magnitude, as a few people under a budget may have."""
    settings = {"steps": 2, "root_steps": 2, "width": 8, "hidden": 4, "mixed": 4}
    model = LinkedSynthesizer(LinkedSchema.parse(SMALL), "timeline", seed=1, device="cpu", settings=settings)
    model.fit(small_hospital())
    encoder = model._encoder
    assert encoder is not None
    model._encoder = replace(encoder, scale=replace(encoder.scale, reach=1e-9, origin=4e15))
    drawn = model.sample(8, seed=1)
    assert len(drawn["labs"])
    assert np.isfinite(drawn["labs"]["value"]).all()
