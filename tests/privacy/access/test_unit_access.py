"""Access to units: nothing is encoded before there is a coding, and what is read is charged."""

from __future__ import annotations

import pytest
from small_hospital import SMALL, small_hospital

from synthkit.errors import ConfigError, UnsupportedError
from synthkit.privacy.access.unit_access import ExactUnitAccess
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables


def access_with(ledger: Ledger) -> ExactUnitAccess:
    tables = LinkedTables.of(small_hospital(), LinkedSchema.parse(SMALL))
    return ExactUnitAccess(tables, ledger, Seeds(0))


def test_units_are_encoded_by_a_fitted_encoder() -> None:
    """Before it is, there is none."""
    access = access_with(Ledger.unlimited(unit=None))
    with pytest.raises(ConfigError, match="fitted before units are encoded"):
        _ = access.encoder
    assert access.fit_encoder() is access.encoder


def test_without_a_budget_there_are_no_noisy_steps() -> None:
    with pytest.raises(UnsupportedError, match="steps are noisy where there is a budget; however: there is none"):
        access_with(Ledger.unlimited(unit=None)).training(10.0)


def test_everything_the_coding_is_read_from_is_charged() -> None:
    """Histograms, and what is read from the rows themselves."""
    ledger = Ledger.unlimited(unit=None)
    access_with(ledger).fit_encoder()
    charged = " ".join(charge.what for charge in ledger.charges)
    assert all(word in charged for word in ("histogram of labs", "gaps", "times", "repeat", "ranks", "series"))
