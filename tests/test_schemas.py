"""Every file in schemas/ loads, round-trips, and tells the truth about the whole of its real table."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from synthkit.schema import Code, FixedCombination, Identifier, Implication, Numeric, Schema

FOLDER = ROOT / "schemas"
TABLES = {
    "adult": ["adult/train", "adult/test"],
    "breast_cancer": ["breast_cancer/wdbc"],
    "census_income_kdd": ["census_income_kdd/train", "census_income_kdd/test"],
    "default_credit": ["default_credit/default"],
    "diabetes130": ["diabetes130/diabetic_data"],
    "heart_disease": ["heart_disease/heart_disease"],
    "kddcup99": ["kddcup99_10pct/kddcup"],
    "support2": ["support2/support2"],
}
DATA = os.environ.get("SYNTHKIT_DATA")
schemas = pytest.mark.parametrize("name", sorted(TABLES))
needs_data = pytest.mark.skipif(not DATA, reason="SYNTHKIT_DATA does not name the folder of the real tables")


@cache
def schema_of(name: str) -> Schema:
    return Schema.load(FOLDER / f"{name}.yaml")


@cache
def table_of(name: str) -> pd.DataFrame:
    parts = [pd.read_parquet(Path(str(DATA)) / f"{file}.parquet") for file in TABLES[name]]
    return pd.concat(parts, ignore_index=True)


def test_every_schema_is_tested():
    """The table of the ninth is made of another by the benchmarks, and tested there."""
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted([*TABLES, "diabetes130_dp46"])


@schemas
def test_a_schema_survives_being_written_and_read(name):
    schema = schema_of(name)
    assert Schema.loads(schema.dumps()) == schema


@schemas
def test_a_schema_is_declared_in_full(name):
    """Name, source and licence are there; each column has a meaning, each number bounds; what was observed says so."""
    schema = schema_of(name)
    assert schema.name == name
    assert schema.source is not None
    assert schema.licence is not None
    assert [c for c, kind in schema.columns.items() if not kind.description] == []
    assert [c for c, kind in schema.columns.items() if kind.observed] == []
    read_off = [r for r in schema.rules if isinstance(r, FixedCombination)] if name == "census_income_kdd" else []
    assert [r for r in schema.rules if r.observed] == read_off
    unbounded = [c for c, k in schema.columns.items() if isinstance(k, Numeric) and (k.min is None or k.max is None)]
    assert unbounded == []
    assert schema.targets != ()
    assert schema.secrets != ()
    assert set(schema.quasi_identifiers).isdisjoint(schema.secrets)


@needs_data
@schemas
def test_the_real_table_has_these_columns_in_this_order(name):
    assert list(table_of(name).columns) == list(schema_of(name).columns)


@needs_data
@schemas
def test_every_cell_of_the_real_table_is_admitted(name):
    table = table_of(name)
    strange = {c: int((~kind.admits(table[c])).sum()) for c, kind in schema_of(name).columns.items()}
    assert {c: count for c, count in strange.items() if count} == {}


@needs_data
@schemas
def test_cells_are_missing_where_they_may_be_and_only_there(name):
    """Nullable columns have missing cells in the table, the others none."""
    table = table_of(name)
    wrong = [c for c, kind in schema_of(name).columns.items() if bool(table[c].isna().any()) != kind.nullable]
    assert wrong == []


@needs_data
@schemas
def test_every_rule_holds_in_every_row(name):
    table = table_of(name)
    broken = {rule.sentence: int((~rule.holds(table)).sum()) for rule in schema_of(name).rules}
    assert {sentence: count for sentence, count in broken.items() if count} == {}


@needs_data
@schemas
def test_every_rule_says_something(name):
    """Were the columns independent, each rule would be broken: shuffling one column of the real table breaks it."""
    table, rng = table_of(name), np.random.default_rng(5)
    table = table.sample(min(len(table), 50_000), random_state=5)  # broken in some rows, and so in all
    for rule in schema_of(name).rules:
        frame = table[list(rule.columns)].copy()
        first = rule.columns[0]
        frame[first] = frame[first].to_numpy()[rng.permutation(len(frame))]
        assert not rule.holds(frame).all(), rule.sentence


@needs_data
@schemas
def test_every_implication_speaks_of_some_rows(name):
    table = table_of(name)
    for rule in schema_of(name).rules:
        if isinstance(rule, Implication):
            met = np.logical_and.reduce([condition.met(table[c]) for c, condition in rule.if_.items()])
            assert met.any(), rule.sentence


@needs_data
@schemas
def test_unique_identifiers_are_unique_and_fresh_ones_differ_from_the_real(name):
    table = table_of(name)
    for column, kind in schema_of(name).columns.items():
        if isinstance(kind, Identifier):
            assert not (kind.unique and table[column].duplicated().any()), column
            assert kind.pattern is not None
            assert not table[column].astype("string").str.fullmatch(kind.pattern).any(), column


@needs_data
@schemas
def test_bounds_and_levels_are_not_read_off_the_table(name):
    """A bound equal to the table's own extreme is a natural one (0, 1), a top code (an atom) or one of very few."""
    table, own = table_of(name), []
    for column, kind in schema_of(name).columns.items():
        if isinstance(kind, Numeric):
            natural = {0.0, 1.0, *kind.atoms}
            own += [
                column for end in {kind.min, kind.max} - natural if end in (table[column].min(), table[column].max())
            ]
    assert len(own) <= 6, own


@needs_data
@schemas
def test_every_atom_occurs(name):
    table = table_of(name)
    for column, kind in schema_of(name).columns.items():
        for atom in kind.atoms if isinstance(kind, Numeric) else ():
            assert (table[column] == atom).any(), (column, atom)


@needs_data
def test_the_codes_of_diabetes130_are_those_of_its_code_tables():
    columns = schema_of("diabetes130").columns
    for column in ("admission_type_id", "discharge_disposition_id", "admission_source_id"):
        codes = pd.read_parquet(Path(str(DATA)) / "diabetes130" / f"map_{column}.parquet")[column]
        assert sorted(columns[column].levels) == sorted(codes), column


@needs_data
def test_what_the_compact_rules_of_diabetes130_mean():
    """Any drug but No means diabetesMed Yes, any dose up or down means change Ch: both written the other way round."""
    schema, table = schema_of("diabetes130"), table_of("diabetes130")
    drugs = list(table.columns[24:47])
    assert len(drugs) == 23
    for column, harmless, then, wrong in [
        ("diabetesMed", ["No"], "Yes", "No"),
        ("change", ["No", "Steady"], "Ch", "No"),
    ]:
        spoken_of = [rule for rule in schema.rules if isinstance(rule, Implication) and column in rule.if_]
        assert len(spoken_of) == 1
        assert set(drugs) <= set(spoken_of[0].then)
        treated = (~table[drugs].isin(harmless)).any(axis=1)
        assert (table.loc[treated, column] == then).all()
        bent = table.loc[treated].head(200).assign(**{column: wrong})
        assert not spoken_of[0].holds(bent).any()


def test_icd9_patterns_take_codes_of_all_three_shapes_and_nothing_else():
    kind = schema_of("diabetes130").columns["diag_1"]
    assert isinstance(kind, Code)
    good = pd.Series(["8", "250", "250.83", "V27", "V58.1", "E909", "E888.9"])
    bad = pd.Series(["", "2508", "250.", "250.123", "A10", "E90", "v27", " 250"])
    assert kind.admits(good).all()
    assert not kind.admits(bad).any()


def test_a_schema_that_comes_with_the_package_stands_once():
    from synthkit.data import path

    assert path("support2.yaml") == FOLDER / "support2.yaml"
    assert [p.name for p in (ROOT / "synthkit").rglob("*.yaml")] == []
