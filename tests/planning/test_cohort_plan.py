"""What few people can give without a budget is said before anybody is fitted, by cohorts measured and made up."""

from __future__ import annotations

import json

import numpy as np
import pytest

from synthkit.errors import ConfigError
from synthkit.models.auto_evidence import shipped_evidence
from synthkit.planning.cohort_planner import FEWEST_PEOPLE, TOLD_MEMBERSHIP, plan_cohort
from synthkit.planning.cohort_simulation import imagined_cohort, simulate_cohort
from synthkit.schema import Schema

SCHEMA = Schema(
    columns={
        "id": {"kind": "identifier"},
        "age": {"kind": "numeric", "nullable": True},
        "weight": {"kind": "numeric"},
        "seen": {"kind": "datetime"},
        "ill": {"kind": "boolean"},
        "ward": {"kind": "categorical", "levels": ["a", "b", "c"]},
        "code": {"kind": "code"},
    }
)


def test_people_are_made_up_within_the_schema_and_lean_on_each_other():
    kept, made = imagined_cohort(SCHEMA, 4_000, 1.0, np.random.default_rng(1))
    assert list(made) == list(SCHEMA.learned)
    assert made["weight"].between(0, 1).all()
    assert 0.03 < made["age"].isna().mean() < 0.07
    assert not made["weight"].isna().any()
    assert kept.columns["ward"].levels == ("0", "1", "2") or list(kept.columns["ward"].levels) == ["0", "1", "2"]
    shares = made["ward"].value_counts(normalize=True).sort_index().to_numpy()
    assert np.abs(shares - np.array([6, 3, 2]) / 11).max() < 0.04
    assert np.corrcoef(made["weight"], made["seen"])[0, 1] > 0.9
    _, loose = imagined_cohort(SCHEMA, 4_000, 0.0, np.random.default_rng(1))
    assert abs(np.corrcoef(loose["weight"], loose["seen"])[0, 1]) < 0.08


def test_independent_columns_of_many_people_tell_nobody_and_a_seed_says_the_same_twice():
    first, again = (simulate_cohort(SCHEMA, 1_500, "independent", {}, tie=0.0) for _ in range(2))
    assert first == again
    assert first.membership.low < 0.55
    assert abs(first.likeness) < 0.02


def test_the_outlook_says_what_was_measured_and_made_up():
    outlook = plan_cohort(SCHEMA, rows=60, model=None)
    assert outlook.simulated is not None
    assert outlook.measured in shipped_evidence().expected(60, 3 / 6).values()
    text = str(outlook)
    assert text.startswith("60 people of 6 columns, without a budget\nNothing was read")
    assert f"By simulation, 60 people of this schema: membership AUC {outlook.simulated.membership.value:.2f}" in text
    told = json.loads(json.dumps(outlook.to_dict()))
    assert told["format"] == "synthkit-cohort-plan/1"
    assert told["simulated"]["membership"]["value"] == outlook.simulated.membership.value
    likely = outlook.simulated.membership.value >= TOLD_MEMBERSHIP and outlook.simulated.membership.low > 0.5
    assert bool(outlook.warnings) == likely


def test_a_model_that_copies_is_warned_of(command, tmp_path):
    """Ten numbers of thirty people, learned by heart: whoever was fitted is found."""
    many = {f"x{k}": {"kind": "numeric"} for k in range(30)}
    outlook = plan_cohort(Schema(columns=many), rows=40, model="marginal")
    assert outlook.measured is None
    assert outlook.simulated is not None
    assert outlook.simulated.membership.low > 0.5
    (warning,) = outlook.warnings
    assert "of 40 people an attacker is likely to tell who was fitted" in warning


@pytest.mark.parametrize("rows", [FEWEST_PEOPLE - 1, 2_000])
def test_other_numbers_of_people_are_refused(rows):
    with pytest.raises(
        ConfigError, match=rf"rows must be from 20 to below 2,000, .*; however: {rows:,}\. Give epsilon"
    ):
        plan_cohort(SCHEMA, rows=rows)


def test_a_model_that_there_is_not_is_refused():
    with pytest.raises(ConfigError, match=r"`model` must be one of .*; however: `x` is not"):
        plan_cohort(SCHEMA, rows=100, model="x")


def test_the_command_needs_no_budget_and_says_so_of_its_terms(command, refused, tmp_path):
    SCHEMA.save(tmp_path / "s.yaml")
    words = ["plan", "--schema", tmp_path / "s.yaml", "--rows", 100, "--quick"]
    said = command(*words, "--json", tmp_path / "o.json")
    assert said.code == 0
    assert "In cohorts like it that were measured: membership AUC" in said.out
    assert "By simulation" not in said.out
    assert json.loads((tmp_path / "o.json").read_text())["simulated"] is None
    assert "`--delta` and `--max-rows-per-unit` are terms of a budget" in refused(*words, "--delta", 1e-6)


def test_linked_tables_need_a_budget(refused, tmp_path):
    (tmp_path / "l.yaml").write_text(
        "format: synthkit-linked/1\nunit: people\ntables:\n  people:\n    key: [id]\n    columns:\n"
        "      id: {kind: identifier}\n      ill: {kind: boolean}\n"
    )
    assert "a plan of linked tables needs a budget" in refused("plan", "--schema", tmp_path / "l.yaml", "--units", 90)
