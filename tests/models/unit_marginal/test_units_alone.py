"""Linked tables of which there is but the table of units: the mixture of their own rows is the whole model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bounded_hospital import BOUNDED

from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

SCHEMA = LinkedSchema.parse({**BOUNDED, "tables": {"patients": BOUNDED["tables"]["patients"]}, "rules": []})
FEW = {"components": 12, "rounds": 1, "first": 30, "between": 1, "last": 30}


@pytest.mark.parametrize("private", [False, True])
def test_units_alone_are_learned_and_drawn(tmp_path, private):
    sex = np.where(np.arange(400) % 4 == 0, "M", "F")
    frame = pd.DataFrame({"patient": [f"p{k}" for k in range(400)], "sex": sex, "born": 1900.0 + np.arange(400) % 100})
    budget = Budget(epsilon=50.0, delta=1e-5, unit="patients")
    ledger = Ledger.new(tmp_path / "l.json", budget) if private else None
    made = LinkedSynthesizer(SCHEMA, "marginal", settings=FEW, device="cpu", seed=1).fit(
        {"patients": frame}, ledger=ledger
    )
    drawn = made.sample(1000, seed=2)
    assert set(drawn) == {"patients"}
    assert (drawn["patients"]["sex"] == "M").mean() == pytest.approx(0.25, abs=0.07)
