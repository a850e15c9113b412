"""A draft for the registry of deployments has its keys, all of them and no other."""

from __future__ import annotations

import json

import jsonschema
import pytest
from places import ROOT

from synthkit.errors import ConfigError, UnsupportedError
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian, NonPrivate, PoissonSubsampledGaussian
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.registry_entry import REGISTRY_KEYS, VARIANTS, record, unfilled
from synthkit.privacy.statement import Statement

PUBLISHED = json.loads((ROOT / "schemas" / "opendp-deployment.json").read_text(encoding="utf-8"))
STEPS = Charge(what="training", spent=PoissonSubsampledGaussian(noise_multiplier=2.0, rate=0.05, steps=60))
AGES = Charge(what="histogram of age", spent=DiscreteGaussian(sigma=30))
RESERVE = Charge(what="tables of counts", spent=Concentrated(rho=0.01))
WHOLE = Budget(epsilon=4, delta=1e-5, unit="patient", max_rows_per_unit=4)


def statement(*charges, budget=WHOLE):
    part = ComposedPlan(delta=1e-5 if budget else 0.0, charges=charges)
    archive = LedgerFile(budget=budget, unit="patient", parts=(part,))
    return Statement(archive=archive, table="icu", model="tvae", versions={"opendp": "0.16.0"}).to_dict()


@pytest.mark.parametrize("charges", [(STEPS, AGES), (RESERVE,)])
def test_it_has_every_key_of_the_registry_and_no_other(charges):
    entry = record(statement(*charges))["deployment"]
    assert {section: tuple(keys) for section, keys in entry.items()} == dict(REGISTRY_KEYS)
    assert json.loads(json.dumps(entry)) == entry


@pytest.mark.parametrize("charges", [(STEPS, AGES), (RESERVE,)])
def test_it_keeps_the_schema_of_the_registry(charges):
    """Keys and values of the published third tier; whatever else somebody writes into it breaks the schema."""
    entry = record(statement(*charges), {"basic.publication_date": "2026-01-31"})
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    jsonschema.validate(entry, PUBLISHED)
    for section, key, value in (
        ("dp_variant", "variant_name", "Nearly DP"),
        ("privacy_loss", "privacy_parameters", {}),
        ("basic", "colour", "blue"),
        ("basic", "publication_date", "soon"),
    ):
        altered = json.loads(json.dumps(entry))
        altered["deployment"][section][key] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(altered, PUBLISHED)


def test_what_the_statement_knows_is_filled_in():
    said = statement(STEPS, AGES)
    entry = record(said)["deployment"]
    assert entry["basic"]["name"] == "icu"
    assert entry["basic"]["data_product_type"] == "Synthetic data"
    assert entry["dp_variant"]["variant_name"] in VARIANTS
    assert entry["privacy_loss"]["privacy_unit"] == "patient"
    assert "At most 4 rows of each are used." in entry["privacy_loss"]["privacy_unit_details"]
    parameters = said["privacy_loss"]["privacy_parameters"]
    assert entry["privacy_loss"]["privacy_parameters"] == {k: v for k, v in parameters.items() if v is not None}
    assert "poisson-subsampled-gaussian" in entry["implementation"]["mechanisms"]
    assert "opendp 0.16.0" in entry["implementation"]["mechanisms"]
    assert "dp-accounting" in entry["implementation"]["composition"]
    assert said["sentences"][2] in entry["implementation"]["additional_information"]


def test_every_text_is_a_text():
    """Numbers, and the parameters, are the only entries that are none."""
    for section in record(statement(RESERVE))["deployment"].values():
        for key, value in section.items():
            assert value is None or isinstance(value, str) or key == "privacy_parameters"


def test_what_only_people_know_is_left_to_them():
    known = {"basic.description": "Stays in intensive care", "privacy_loss.number_of_privacy_units": 9000}
    left, given = unfilled(record(statement(AGES))), record(statement(AGES), known)
    assert set(left) - set(unfilled(given)) == set(known)
    assert given["deployment"]["privacy_loss"]["number_of_privacy_units"] == 9000
    assert {"basic.data_curators", "basic.publication_date", "deployment_model.actors"} <= set(left)
    assert "privacy_loss.privacy_parameters" not in left


def test_a_key_the_registry_does_not_have_is_refused():
    for name in ("basic.colour", "colour", "administrative.tier"):
        with pytest.raises(ConfigError, match=f"must have its keys only; however: `{name}`"):
            record(statement(AGES), {name: "red"})


def test_a_release_that_promises_nothing_is_no_entry():
    exact = Charge(what="rows", spent=NonPrivate())
    with pytest.raises(UnsupportedError, match="needs a finite epsilon"):
        record(statement(exact, budget=None))
